// SPDX-License-Identifier: GPL-2.0-or-later
/* What a thread has and the process does not show: only /proc/PID/task/TID does. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mkholder.h"

struct thread {
	void (*make)(const char *path);
	const char *path;
	sem_t made;
};

static void *_noreturn_ run_thread(void *data)
{
	struct thread *thread = data;

	thread->make(thread->path);
	sem_post(&thread->made);
	for (;;)
		pause();
}

/* Comes back when the thread has it. */
static void make_in_thread(const char *path, void (*make)(const char *path))
{
	static struct thread thread;
	pthread_t id;

	thread.make = make;
	thread.path = path;
	if (sem_init(&thread.made, 0, 0) < 0 || pthread_create(&id, NULL, run_thread, &thread))
		fail("thread");
	sem_wait(&thread.made);
}

static void open_alone(const char *path)
{
	if (unshare(CLONE_FILES) < 0)
		fail("unshare");
	open_or_fail(path, O_RDONLY);
}

static void ring_alone(const char *path)
{
	(void)path;
	if (unshare(CLONE_FILES) < 0)
		fail("unshare");
	open_ring();
}

static void go_alone(const char *path)
{
	if (unshare(CLONE_FS) < 0 || chdir(path) < 0)
		fail(path);
}

static void mounts_alone(const char *path)
{
	(void)path;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("unshare");
}

static void make_thread_files(const char *path, const char *argument)
{
	(void)argument;
	make_in_thread(path, open_alone);
}

static void make_thread_ring(const char *path, const char *argument)
{
	(void)argument;
	open_or_fail(path, O_RDONLY);
	make_in_thread(path, ring_alone);
}

static void make_thread_cwd(const char *path, const char *argument)
{
	(void)argument;
	make_in_thread(path, go_alone);
}

static void make_thread_mounts(const char *path, const char *argument)
{
	(void)argument;
	make_in_thread(path, mounts_alone);
}

static void nothing(const char *path)
{
	(void)path;
}

/* The descriptors are still there, but /proc/PID/fd shows none of them. */
static void make_leader_gone(const char *path, const char *argument)
{
	(void)argument;
	open_or_fail(path, O_RDONLY);
	make_in_thread(path, nothing);
	ready();
	pthread_exit(NULL);
}

static void make_leader_gone_ring(const char *path, const char *argument)
{
	open_ring();
	make_leader_gone(path, argument);
}

static void make_leader_gone_map(const char *path, const char *argument)
{
	map_or_fail(path, (size_t)number_or(argument, 4096), MAP_SHARED);
	make_in_thread(path, nothing);
	ready();
	pthread_exit(NULL);
}

const struct kind kinds_threads[] = {
	{ "thread-files", make_thread_files, true, "open in a thread with a file table of its own" },
	{ "thread-ring", make_thread_ring, true,
	  "open, and a thread with a file table of its own has an io_uring" },
	{ "thread-cwd", make_thread_cwd, true, "the working directory of a thread with one of its own" },
	{ "thread-mount-ns", make_thread_mounts, false, "a thread's private copies of all mounts" },
	{ "leader-gone", make_leader_gone, true, "open, and the main thread has ended" },
	{ "leader-gone-ring", make_leader_gone_ring, true,
	  "open, with an io_uring, and the main thread has ended" },
	{ "leader-gone-map", make_leader_gone_map, true, "a shared mapping, and the main thread has ended" },
	{ 0 },
};
