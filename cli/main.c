// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dax-retire: one program with a command table for each tool of the family.
 * Called by a tool's name it is that tool; called by its own, the first
 * argument names the tool. What a table does not have is handed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/handoff.h"
#include "cli/listing.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#ifndef MANDIR
#define MANDIR "/usr/share/man"
#endif

/* A closed stdin, stdout or stderr must not become the number of a device; it fails when used and ends at exec. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			abort();
}

static int flushed(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "error: cannot write to stdout\n");
	return EXIT_FAILURE;
}

static int error_exit(const struct tool *tool, const char *word, const struct err *err)
{
	char copy[256];

	fprintf(stderr, "error: '%s' is no command of dax-retire, and %s; the package %s has it\n",
		printable(word, copy, sizeof(copy)), err->message, tool->package);
	return EXIT_FAILURE;
}

static int hand_on_all(const struct tool *tool, int argc, const char **argv)
{
	struct err err = { 0 };

	hand_on(tool->name, argc, argv, &err);
	return error_exit(tool, argc > 1 ? argv[1] : tool->name, &err);
}

static int tool_lists(const struct tool *tool, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	list_commands(tool);
	return flushed(0);
}

/* The version that scripts ask for is the one of the family; ours when we are alone. */
static int tool_version(const struct tool *tool, int argc, const char **argv)
{
	struct err err = { 0 };

	if (hand_on(tool->name, argc, argv, &err) != -ENOENT)
		return error_exit(tool, argv[1], &err);
	puts(VERSION);
	return flushed(0);
}

/* The tree that this program was installed in may be none that man searches. */
static void search_own_manuals(void)
{
	const char *before = getenv("MANPATH");
	_cleanup_free_ char *path = NULL;

	/* an empty last entry stands for the usual places */
	if (asprintf(&path, "%s:%s", MANDIR, before ? before : "") > 0)
		setenv("MANPATH", path, 1);
}

static int show_manual(const struct tool *tool, const struct command *command)
{
	char page[128];

	snprintf(page, sizeof(page), "%s-%s", tool->name, command->name);
	search_own_manuals();
	execlp("man", "man", page, (char *)NULL);
	fprintf(stderr, "error: cannot run man: %s\n", strerror(errno));
	options_usage(command->options, stdout);
	return EXIT_FAILURE;
}

static int tool_help(const struct tool *tool, int argc, const char **argv)
{
	const struct command *command = argc > 2 ? tool_command(tool, argv[2]) : NULL;

	if (command)
		return show_manual(tool, command);
	if (argc > 2)
		return hand_on_all(tool, argc, argv);
	print_tool_help(tool);
	return flushed(0);
}

static const struct {
	const char *word;
	int (*run)(const struct tool *tool, int argc, const char **argv);
} tool_words[] = {
	{ "--list-cmds", tool_lists }, { "--help", tool_help }, { "-h", tool_help },	     { "help", tool_help },
	{ "--version", tool_version }, { "-v", tool_version },	{ "version", tool_version },
};

static int run_command(const struct command *command, int argc, const char **argv)
{
	struct root root;
	int rc = root_open(&root, NULL), code;

	if (rc < 0) {
		fprintf(stderr, "error: cannot open /: %s\n", strerror(-rc));
		return EXIT_FAILURE;
	}
	/* a reader of ours that goes away must not end a retirement half way */
	signal(SIGPIPE, SIG_IGN);
	code = command->run(argc, argv, &root);
	root_close(&root);
	return code;
}

/* argv[0] is the tool, as the user called it. */
static int run_tool(const struct tool *tool, int argc, const char **argv)
{
	const struct command *command = argc > 1 ? tool_command(tool, argv[1]) : NULL;

	if (command)
		return run_command(command, argc - 1, argv + 1);
	for (size_t i = 0; argc > 1 && i < COUNT_OF(tool_words); i++)
		if (strcmp(argv[1], tool_words[i].word) == 0)
			return tool_words[i].run(tool, argc, argv);
	if (argc > 1)
		return hand_on_all(tool, argc, argv);
	print_tool_help(tool);
	return flushed(EXIT_FAILURE);
}

static int run_itself(int argc, const char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	char copy[256];

	if (strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0) {
		puts(VERSION);
		return flushed(0);
	}
	if (strcmp(word, "--list-cmds") == 0) {
		for (size_t i = 0; i < TOOLS; i++)
			puts(tools[i]->name);
		return flushed(0);
	}
	if (!*word || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_own_help();
		return flushed(*word ? 0 : EXIT_FAILURE);
	}
	fprintf(stderr, "error: unknown tool '%s': ndctl, daxctl or cxl\n", printable(word, copy, sizeof(copy)));
	fputs("\n usage: dax-retire TOOL COMMAND [ARGS]\n\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, const char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const struct tool *tool = argc > 0 ? tool_named(slash ? slash + 1 : argv[0]) : NULL;

	occupy_standard_descriptors();
	setlocale(LC_CTYPE, "");
	if (tool)
		return run_tool(tool, argc, argv);
	tool = argc > 1 ? tool_named(argv[1]) : NULL;
	if (tool)
		return run_tool(tool, argc - 1, argv + 1);
	return run_itself(argc, argv);
}
