// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct deadline deadline_in(uint64_t ms)
{
	return (struct deadline){ clock_us() + ms * 1000 };
}

struct deadline deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at_us < b.at_us ? a : b;
}

bool deadline_passed(struct deadline deadline)
{
	return clock_us() >= deadline.at_us;
}

int deadline_left_ms(struct deadline deadline)
{
	uint64_t now = clock_us(), left;

	if (now >= deadline.at_us)
		return 0;
	left = (deadline.at_us - now + 999) / 1000;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int wait_readable(int fd, int interrupt, struct deadline deadline)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = interrupt, .events = POLLIN } };

	for (;;) {
		int n = poll(fds, 2, deadline_left_ms(deadline));

		if (n < 0 && errno != EINTR)
			return -errno;
		/* what is there wins over the interrupt: the work was done */
		if (n > 0 && fds[0].revents)
			return 1;
		if (n > 0 && fds[1].revents)
			return -EINTR;
		if (deadline_passed(deadline))
			return 0;
	}
}
