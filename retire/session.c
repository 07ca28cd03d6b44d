// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "retire/lock.h"
#include "retire/report-systemd.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* "20261121T101502-7f3a": UTC, and enough chance to tell two of one second apart. */
static void make_id(char *id, size_t size)
{
	time_t now = time(NULL);
	unsigned chance = 0;
	struct tm utc;
	size_t n;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = (unsigned)getpid();
	gmtime_r(&now, &utc);
	n = strftime(id, size, "%Y%m%dT%H%M%S", &utc);
	snprintf(id + n, size - n, "-%04x", chance & 0xffff);
}

/*
 * Signals that would end us become readable instead, so that a rollback can
 * follow; those that would stop us in mid-freeze are held off. SIGSTOP cannot
 * be: the guardian's time limit is for that.
 */
static int hold_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int stopping[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };
	struct sigaction now;
	sigset_t set, all;

	sigemptyset(&set);
	/* one that was ignored from the start (nohup) stays so: blocked, it would be queued all the same */
	for (size_t i = 0; i < COUNT_OF(ending); i++)
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	all = set;
	for (size_t i = 0; i < COUNT_OF(stopping); i++)
		sigaddset(&all, stopping[i]);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Nothing is looked at before the lock is there, so that no other retirement changes what was seen. */
static bool take_lock(struct session *session)
{
	const struct request *request = session->request;
	struct deadline deadline = deadline_in(request->wait_ms ? request->wait_ms : UINT32_MAX);
	struct err err = { 0 };

	if (geteuid() != 0 && !session->machine->root->recorded) {
		session_finish(session, OUTCOME_ERROR,
			       starts_with(request->command, "retire-")
				       ? "only root can do this (--dry-run shows what can be seen without)"
				       : "only root can do this");
		return false;
	}
	progress_phase(session->progress, "lock");
	session->lock = lock_take(session->machine->root, session->result->id, request->wait, deadline,
				  session->interrupt, &err);
	if (session->lock < 0)
		session_finish(session, session->lock == -EWOULDBLOCK ? OUTCOME_IN_PROGRESS : OUTCOME_ERROR,
			       err.message);
	return session->lock >= 0;
}

bool session_begin(struct session *session)
{
	struct result *result = session->result;

	session->start_us = clock_us();
	session->interrupt = session->lock = -1;
	memset(result, 0, sizeof(*result));
	result->command = session->request->command;
	result->no_unbind = session->request->no_unbind;
	result->delete_region = session->request->delete_region;
	result->power_off = session->request->power_off;
	result->frozen_ms = -1;
	make_id(result->id, sizeof(result->id));
	progress_begin(session->progress, session->request, result->id);
	if (session->request->dry_run)
		return true;
	session->interrupt = hold_signals();
	if (session->interrupt < 0) {
		session_finish(session, OUTCOME_ERROR, "cannot hold signals: out of descriptors or memory");
		return false;
	}
	session->machine->effects->interrupt = session->interrupt;
	return take_lock(session);
}

void session_end(struct session *session)
{
	bool had_lock = session->lock >= 0;

	cleanup_close(&session->lock);
	cleanup_close(&session->interrupt);
	session->lock = session->interrupt = -1;
	progress_finish(session->progress);
	session->result->elapsed_ms = (clock_us() - session->start_us) / 1000;
	/* whoever took the lock may have done something, and is remembered */
	if (had_lock && session->result->outcome != OUTCOME_NOTHING_TO_DO)
		report_systemd(session->result);
}

void session_finish(struct session *session, enum outcome outcome, const char *message)
{
	session->result->outcome = outcome;
	if (message && !session->result->message)
		session->result->message = strdup(message);
}
