/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where systemd's journal runs, a retirement leaves one structured record
 * there: who looks back later finds it by its message id. The fields are in
 * the man page.
 */
#ifndef RETIRE_REPORT_SYSTEMD_H
#define RETIRE_REPORT_SYSTEMD_H

#include "retire/result.h"

#define RETIRE_MESSAGE_ID "8c3068f8eee74c5cb212f78a64e096c2"

/*
 * Sends the record. Waits a second at most: a journal that is stuck holds
 * nothing up. Does nothing where none runs.
 */
void report_systemd(const struct result *result);

#endif
