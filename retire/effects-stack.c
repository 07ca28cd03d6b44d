// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-stack.h"

#include <errno.h>
#include <string.h>

#include "retire/effects-system.h"
#include "util/cleanup.h"

/* How each kind is taken down, and put up again. */
static const struct {
	child_work *down, *up;
} works[HOLDER_TYPES] = {
#ifdef HAVE_DEVMAPPER
	[HOLDER_DM] = { dm_remove, dm_create },
#endif
	[HOLDER_MD] = { md_stop, md_assemble },
	[HOLDER_LOOP] = { loop_detach, loop_attach },
};

static int run(struct effects *effects, child_work *work, const struct holder *stack, struct deadline deadline,
	       int *fd)
{
	struct holder argument = *stack;

	return work ? effects_in_child(effects, work, &argument, deadline, fd) : -EOPNOTSUPP;
}

int stack_take_down(struct effects *effects, const struct holder *stack, struct deadline deadline, struct err *err)
{
	int rc = run(effects, works[stack->type].down, stack, deadline, NULL);

	if (rc == -EIO)
		return err_set(err, rc, "data could not be written");
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

int stack_put_up(struct effects *effects, const struct holder *stack, int *fd, struct deadline deadline,
		 struct err *err)
{
	int rc = run(effects, works[stack->type].up, stack, deadline, fd);

	if (rc == -EADDRINUSE)
		return err_set(err, rc, "something else has its name or number now");
	if (rc == -ESTALE)
		return err_set(err, rc, "what it stood on is another one now");
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}
