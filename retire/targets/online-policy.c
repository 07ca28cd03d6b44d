// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/online-policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/root.h"

#define POLICY	"/sys/devices/system/memory/auto_online_blocks"
#define OFFLINE "offline"

/* What others wait for, or lock, is none of the keeper's business. */
static void close_all_but(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other), high = (unsigned)(one < other ? other : one);

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, UINT_MAX, 0);
}

/* Nothing is written there, so what comes is the end of all who could. */
static void await_end(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static _Noreturn void keep(int ended, int attribute, const char *policy)
{
	char now[32] = "";

	close_all_but(ended, attribute);
	setsid();
	await_end(ended);
	if (pread(attribute, now, sizeof(now) - 1, 0) <= 0 || strncmp(now, OFFLINE, strlen(OFFLINE)) != 0)
		_exit(0);
	_exit(pwrite(attribute, policy, strlen(policy), 0) < 0);
}

static int start_keeper(struct online_policy *policy, int attribute, const char *before)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	policy->keeper = fork();
	if (policy->keeper == 0) {
		close(ends[1]);
		keep(ends[0], attribute, before);
	}
	close(ends[0]);
	policy->held = ends[1];
	return policy->keeper < 0 ? -errno : 0;
}

int online_policy_set_offline(const struct root *root, struct online_policy *policy)
{
	_cleanup_free_ char *before = root_attributef(root, POLICY);
	_cleanup_close_ int attribute = -1;
	int rc;

	*policy = (struct online_policy){ .held = -1, .keeper = -1 };
	if (!before)
		return errno == ENOMEM ? -ENOMEM : 0;
	if (strcmp(before, OFFLINE) == 0)
		return 0;
	attribute = root_openf(root, O_RDWR | O_CLOEXEC, POLICY);
	if (attribute < 0)
		return attribute;
	rc = start_keeper(policy, attribute, before);
	if (rc == 0 && pwrite(attribute, OFFLINE, strlen(OFFLINE), 0) < 0)
		rc = -errno;
	if (rc < 0)
		online_policy_put_back(policy);
	return rc;
}

void online_policy_put_back(struct online_policy *policy)
{
	cleanup_close(&policy->held);
	policy->held = -1;
	while (policy->keeper > 0 && waitpid(policy->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	policy->keeper = -1;
}
