/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slot for PCI cards whose power can be switched, by its name in
 * /sys/bus/pci/slots: who reads its state has one of three answers, and says what
 * the third means to him.
 */
#ifndef RETIRE_SLOT_H
#define RETIRE_SLOT_H

struct root;

enum slot_state { SLOT_OFF, SLOT_ON, SLOT_UNKNOWN };

/* Has it power? */
enum slot_state slot_power(const struct root *root, const char *slot);

/* Is a card in it, or the link of one up? */
enum slot_state slot_card(const struct root *root, const char *slot);

#endif
