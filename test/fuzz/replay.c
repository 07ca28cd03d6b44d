// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a target over files and directories of files, without libFuzzer. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/fuzz/fuzz.h"
#include "util/cleanup.h"
#include "util/root.h"

static int replay(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	_cleanup_close_ int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_free_ char *text = NULL;
	ssize_t length = fd < 0 ? -1 : read_whole(fd, 1 << 20, &text);

	(void)st;
	(void)ftw;
	if (length >= 0)
		LLVMFuzzerTestOneInput((const uint8_t *)text, (size_t)length);
	return type == FTW_F && length < 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS)) {
			fprintf(stderr, "replay: cannot read %s\n", argv[i]);
			return 1;
		}
	return 0;
}
