// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a process' maps waits for its mmap_lock, which a writer that sleeps
 * in the kernel may hold for long (fs/proc/task_mmu.c:m_start()). Threads of
 * ours would keep this program from ending then; a child does not.
 */
#include "retire/holders/process-pass.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "retire/holders/proc-file.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Two lanes: more gain little, since the kernel's own locks are shared. Fewer processes than that are not worth a
 * second. */
enum { LANES = 2, WORTH_A_LANE = 64 };

/* Asleep for so long in one system call: stuck. So often, and the rest is not looked at. */
enum { TICK_MS = 100, STUCK_TICKS = 50, MAX_STUCK = 16 };

enum { MAX_ANSWER = 512 << 20 };

/* What became of a process; below these: in hand of the lane with that number. */
enum { WAITING = 0, DONE = 254, GONE = 255 };

/* In memory that all share. */
struct board {
	atomic_ullong steps[LANES];
	atomic_uchar states[]; /* by index: a process is taken, and is in hand, in one step */
};

struct lane {
	struct process_pass *pass;
	struct board *board;
	unsigned char number; /* 1, 2, … */
	struct child child;
	int answer; /* memfd */
	unsigned long long steps;
	int asleep; /* ticks */
};

/* A string with its length and its NUL; length 0: NULL. */
static void put_text(FILE *answer, const char *text)
{
	size_t length = text ? strlen(text) + 1 : 0;

	fwrite(&length, sizeof(length), 1, answer);
	if (text)
		fwrite(text, 1, length, answer);
}

/* All of one process, or, when this one is killed, nothing. */
static int put_finding(FILE *answer, const struct finding *finding, const struct file_scan *files)
{
	fwrite(finding, sizeof(*finding), 1, answer);
	put_text(answer, finding->who.unit);
	put_text(answer, finding->who.vm);
	put_text(answer, finding->who.container);
	fwrite(&files->matches.count, sizeof(files->matches.count), 1, answer);
	array_each(match, &files->matches) {
		fwrite(match, sizeof(*match), 1, answer);
		put_text(answer, match->path);
	}
	return fflush(answer) || ferror(answer) ? -EIO : 0;
}

static int look_at(struct lane *lane, struct process_scan *scan, size_t index, FILE *answer)
{
	struct finding finding;
	int rc = process_scan(scan, lane->pass->pids->list.items[index], &finding);

	if (rc > 0)
		rc = put_finding(answer, &finding, &scan->files);
	if (rc == 0 || rc == -ESRCH)
		lane->board->states[index] = rc == 0 ? DONE : GONE;
	finding_free(&finding);
	return rc == -ESRCH ? 0 : rc;
}

/* The next process that nobody has, from *index on. */
static bool take_process(struct lane *lane, size_t *index)
{
	for (; *index < lane->pass->pids->list.count; ++*index) {
		unsigned char waiting = WAITING;

		if (atomic_compare_exchange_strong(&lane->board->states[*index], &waiting, lane->number))
			return true;
	}
	return false;
}

/* In the child. */
static int look_at_all(void *argument, int *fd)
{
	struct lane *lane = argument;
	const struct process_pass *pass = lane->pass;
	_cleanup_(process_scan_free) struct process_scan scan = {
		.proc = pass->proc,
		.own = pass->own,
		.suspects = pass->suspects,
		.files = { .root = pass->root,
			   .matcher = pass->matcher,
			   .steps = &lane->board->steps[lane->number - 1] },
	};
	_cleanup_fclose_ FILE *answer = fdopen(lane->answer, "w");
	int rc = answer ? 0 : -errno;

	(void)fd;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t index = 0; rc == 0 && take_process(lane, &index);)
		rc = look_at(lane, &scan, index, answer);
	return rc;
}

static int start_lane(struct lane *lane)
{
	int rc;

	lane->asleep = 0;
	lane->answer = memfd_create("processes", MFD_CLOEXEC);
	if (lane->answer < 0)
		return -errno;
	rc = child_start(&lane->child, look_at_all, lane);
	if (rc < 0)
		cleanup_close(&lane->answer);
	return rc;
}

/* Asleep, and without a step since it was looked at last; who waits for a processor is not. */
static bool is_stuck(struct lane *lane)
{
	unsigned long long steps = lane->board->steps[lane->number - 1];

	if (steps != lane->steps || !proc_file_is_asleep(lane->child.pid))
		lane->asleep = 0;
	lane->steps = steps;
	return ++lane->asleep > STUCK_TICKS;
}

static bool take(const char **cursor, const char *end, void *to, size_t size)
{
	if ((size_t)(end - *cursor) < size)
		return false;
	memcpy(to, *cursor, size);
	*cursor += size;
	return true;
}

static bool take_text(const char **cursor, const char *end, char **text)
{
	size_t length;

	if (!take(cursor, end, &length, sizeof(length)) || (size_t)(end - *cursor) < length)
		return false;
	*text = length ? (char *)(uintptr_t)*cursor : NULL;
	*cursor += length;
	return true;
}

/* 1: one more; 0: no more, or it was cut off. */
static int take_finding(struct process_pass *pass, const char **cursor, const char *end)
{
	struct sighting sighting = { .first = pass->matches.count }, *added;
	struct process *who = &sighting.finding.who;

	if (!take(cursor, end, &sighting.finding, sizeof(sighting.finding)) ||
	    !take_text(cursor, end, &who->unit) || !take_text(cursor, end, &who->vm) ||
	    !take_text(cursor, end, &who->container) ||
	    !take(cursor, end, &sighting.count, sizeof(sighting.count)))
		return 0;
	for (size_t i = 0; i < sighting.count; i++) {
		struct match match, *more;

		if (!take(cursor, end, &match, sizeof(match)) || !take_text(cursor, end, &match.path))
			return 0;
		more = array_add(&pass->matches);
		if (!more)
			return -ENOMEM;
		*more = match;
	}
	added = array_add(&pass->sightings);
	if (!added)
		return -ENOMEM;
	*added = sighting;
	return 1;
}

/* What a lane has written so far is good, whatever became of it. */
static int collect(struct lane *lane)
{
	struct process_pass *pass = lane->pass;
	char **text = array_add(&pass->answers);
	const char *cursor;
	ssize_t length;
	int rc = 1;

	if (!text)
		return -ENOMEM;
	if (lseek(lane->answer, 0, SEEK_SET) < 0)
		return -errno;
	length = read_whole(lane->answer, MAX_ANSWER, text);
	cleanup_close(&lane->answer);
	lane->answer = -1;
	if (length < 0)
		return (int)length;
	for (cursor = *text; rc > 0;)
		rc = take_finding(pass, &cursor, *text + length);
	return rc;
}

/* What the lane has in hand, which is one process at most. */
static int note_unanswered(struct lane *lane, int error)
{
	struct process_pass *pass = lane->pass;

	for (size_t i = 0; i < pass->pids->list.count; i++) {
		struct sighting *sighting;

		if (lane->board->states[i] != lane->number)
			continue;
		sighting = array_add(&pass->sightings);
		if (!sighting)
			return -ENOMEM;
		sighting->finding.pid = pass->pids->list.items[i];
		sighting->finding.denied = error;
		lane->board->states[i] = DONE;
	}
	return 0;
}

/* A tick of one lane. 1: it goes on; 0: it has ended. */
static int attend(struct lane *lane, int *stuck)
{
	int rc = child_wait(&lane->child, -1, deadline_in(TICK_MS), NULL), lost;

	if (rc == -ETIMEDOUT && !is_stuck(lane))
		return 1;
	if (rc == -ETIMEDOUT)
		child_give_up(&lane->child);
	lost = collect(lane);
	if (lost < 0 || (rc != -ETIMEDOUT && rc != -EPROTO))
		return lost < 0 ? lost : rc;
	rc = note_unanswered(lane, rc);
	if (rc < 0 || ++*stuck >= MAX_STUCK)
		return rc;
	rc = start_lane(lane);
	return rc < 0 ? rc : 1;
}

static void end_lane(struct lane *lane)
{
	child_give_up(&lane->child);
	cleanup_close(&lane->answer);
}

static size_t lanes_for(size_t processes)
{
	cpu_set_t allowed;
	size_t lanes = processes / WORTH_A_LANE + 1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && lanes > (size_t)CPU_COUNT(&allowed))
		lanes = (size_t)CPU_COUNT(&allowed);
	return lanes < LANES ? lanes : LANES;
}

static int run_lanes(struct process_pass *pass, struct board *board)
{
	size_t count = lanes_for(pass->pids->list.count), running = 0;
	struct lane lanes[LANES];
	int rc = 0, stuck = 0;

	for (; running < count && rc == 0; running += rc == 0) {
		lanes[running] = (struct lane){ .pass = pass,
						.board = board,
						.number = (unsigned char)(running + 1),
						.child = CHILD_NONE,
						.answer = -1 };
		rc = start_lane(&lanes[running]);
	}
	/* one is enough */
	rc = running ? 0 : rc;
	for (bool any = true; any && rc == 0;) {
		any = false;
		for (size_t i = 0; i < running && rc >= 0; i++) {
			if (lanes[i].child.pid < 0)
				continue;
			rc = attend(&lanes[i], &stuck);
			any |= rc > 0;
		}
		rc = rc < 0 ? rc : 0;
	}
	for (size_t i = 0; i < running; i++)
		end_lane(&lanes[i]);
	return rc;
}

static int compare_sightings(const void *a, const void *b)
{
	const struct sighting *left = a, *right = b;

	return (left->finding.pid > right->finding.pid) - (left->finding.pid < right->finding.pid);
}

static int note_rest(struct process_pass *pass, const struct board *board)
{
	for (size_t i = 0; i < pass->pids->list.count; i++) {
		pid_t *gone = board->states[i] == GONE ? array_add(&pass->gone.list) : NULL;

		if (board->states[i] == GONE && !gone)
			return -ENOMEM;
		if (gone)
			*gone = pass->pids->list.items[i];
		pass->left += board->states[i] == WAITING;
	}
	if (pass->sightings.count)
		qsort(pass->sightings.items, pass->sightings.count, sizeof(*pass->sightings.items),
		      compare_sightings);
	return 0;
}

int process_pass_run(struct process_pass *pass)
{
	size_t size = sizeof(struct board) + pass->pids->list.count;
	struct board *board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (board == MAP_FAILED)
		return -errno;
	rc = run_lanes(pass, board);
	rc = rc < 0 ? rc : note_rest(pass, board);
	munmap(board, size);
	return rc;
}

void process_pass_free(struct process_pass *pass)
{
	array_each(answer, &pass->answers)
		free(*answer);
	free(pass->answers.items);
	free(pass->sightings.items);
	free(pass->matches.items);
	pid_set_free(&pass->gone);
}
