// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a command and kills it in the middle of a retirement:
 *
 *	cut RECORD tool|guardian|both|reset COMMAND…
 *
 * As soon as the journal of this boot has RECORD records (1: the plan is made,
 * nothing is done yet; 2: the first step is about to be done; …) it kills the
 * tool, its guardian, or both with SIGKILL, or resets the machine. Where no
 * guardian lives, the tool is killed. Exit 0: it was cut; 1: the command ended
 * before, with a line that says how.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOURNALS "/run/dax-retire/journal"

static int count_lines(const char *name, char last[512])
{
	static char text[1 << 20];
	int directory = open(JOURNALS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC), lines = 0;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	char *line = text;

	close(directory);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
		*end = '\0';
		snprintf(last, 512, "%.500s", line);
	}
	return lines;
}

/* The guardian of `tool`, by its name; 0 when there is none. */
static pid_t guardian_of(pid_t tool)
{
	char path[64], text[512], *end;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (proc && !found && (entry = readdir(proc))) {
		int fd, parent;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		end = strrchr(text, ')');
		if (end && strstr(text, "(dax-retire-grd)") && sscanf(end, ") %*c %d", &parent) == 1 &&
		    parent == tool)
			found = (pid_t)atoi(entry->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void reset_machine(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "b", 1) != 1)
		perror("cut: reset");
}

static void cut(pid_t tool, const char *whom)
{
	pid_t guardian = guardian_of(tool);

	if (strcmp(whom, "reset") == 0)
		reset_machine();
	if (guardian && strcmp(whom, "tool") != 0)
		kill(guardian, SIGKILL);
	if (!guardian || strcmp(whom, "guardian") != 0)
		kill(tool, SIGKILL);
}

int main(int argc, char **argv)
{
	int notify = inotify_init1(IN_CLOEXEC), records, status;
	char buffer[4096] __attribute__((aligned(8))), last[512] = "";
	bool done = false;
	pid_t tool;

	if (argc < 4) {
		fputs("usage: cut RECORD tool|guardian|both|reset COMMAND…\n", stderr);
		return 2;
	}
	mkdir("/run/dax-retire", 0700);
	mkdir(JOURNALS, 0700);
	records = atoi(argv[1]);
	if (notify < 0 || inotify_add_watch(notify, JOURNALS, IN_CREATE | IN_MODIFY | IN_DELETE) < 0) {
		perror("cut: " JOURNALS);
		return 2;
	}
	tool = fork();
	if (tool == 0) {
		setsid();
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	/* ended without a journal: the pipe of events stays empty, so look at the process as well */
	fcntl(notify, F_SETFL, O_NONBLOCK);
	while (!done && waitpid(tool, &status, WNOHANG) == 0) {
		ssize_t n = read(notify, buffer, sizeof(buffer));

		if (n <= 0) {
			usleep(50);
			continue;
		}
		for (char *at = buffer; !done && at < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

			at += sizeof(*event) + event->len;
			if (event->len && !(event->mask & IN_DELETE) &&
			    count_lines(event->name, last) >= records) {
				cut(tool, argv[2]);
				done = true;
			}
		}
	}
	if (!done) {
		printf("ended with %d before record %d\n", WEXITSTATUS(status), records);
		return 1;
	}
	waitpid(tool, &status, 0);
	printf("cut at record %d: %.120s\n", records, strchr(last, ' ') ? strchr(last, ' ') + 1 : last);
	return 0;
}
