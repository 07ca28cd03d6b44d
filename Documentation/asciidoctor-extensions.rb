# SPDX-License-Identifier: GPL-2.0-or-later
# The family writes references to manual pages as linkndctl:page[section].
require 'asciidoctor'
require 'asciidoctor/extensions'

class ManualLink < Asciidoctor::Extensions::InlineMacroProcessor
  use_dsl
  named :linkndctl

  def process(parent, target, attributes)
    section = attributes[1] || attributes['1'] || '1'
    create_inline(parent, :quoted, "#{target}(#{section})")
  end
end

Asciidoctor::Extensions.register do
  inline_macro ManualLink
end
