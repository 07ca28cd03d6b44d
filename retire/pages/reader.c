// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/reader.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

/* What the program is called with. */
struct context {
	uint64_t address; /* to copy from; or gets that of this process, where `size` is 0 */
	uint64_t size;
};

struct ends_context {
	uint64_t address, stride, count;
};

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	int rc = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = WINDOW_SIZE,
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
		.map_name = "dax_retire",
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

#define INSN(c, d, s, o, i)                                                                                       \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

static int load(const struct bpf_insn *program, size_t count)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SYSCALL,
		.prog_flags = BPF_F_SLEEPABLE,
		.insn_cnt = (uint32_t)count,
		.insns = (uintptr_t)program,
		.license = (uintptr_t) "GPL",
		.prog_name = "dax_retire",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/*
 *	if (context->size == 0) { context->address = bpf_get_current_task(); return 0; }
 *	if (context->size > WINDOW_SIZE) return -EINVAL;
 *	return bpf_probe_read_kernel(window, context->size, context->address);
 */
static int load_program(int map)
{
	const struct bpf_insn program[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_6, offsetof(struct context, size), 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 4, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_task),
		INSN(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_0, offsetof(struct context, address), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_JGT | BPF_K, BPF_REG_2, 0, 5, WINDOW_SIZE),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_6, offsetof(struct context, address), 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -EINVAL),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return load(program, COUNT_OF(program));
}

/*
 *	for (i = 0; i < context->count && i < ENDS_MAX; i++, window += 3 * entry, address += context->stride) {
 *		rc = bpf_probe_read_kernel(window, 2 * entry, address);
 *		if (rc) return rc;
 *		rc = bpf_probe_read_kernel(window + 2 * entry, entry, address + context->stride - entry);
 *		if (rc) return rc;
 *	}
 *	return 0;
 */
static int load_ends_program(int map, int entry)
{
	const struct bpf_insn program[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_9, BPF_REG_6, offsetof(struct ends_context, address), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_7, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_8, 0, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_6, offsetof(struct ends_context, count), 0),
		INSN(BPF_JMP | BPF_JGE | BPF_X, BPF_REG_7, BPF_REG_1, 22, 0),
		INSN(BPF_JMP | BPF_JGE | BPF_K, BPF_REG_7, 0, 21, ENDS_MAX),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_1, BPF_REG_8, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 2 * entry),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_9, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 15, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_1, BPF_REG_8, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 2 * entry),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, entry),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_6, offsetof(struct ends_context, stride), 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_9, BPF_REG_3, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_9, 0, 0),
		INSN(BPF_ALU64 | BPF_SUB | BPF_K, BPF_REG_3, 0, 0, entry),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 4, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_8, 0, 0, 3 * entry),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_7, 0, 0, 1),
		INSN(BPF_JMP | BPF_JA, 0, 0, -24, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return load(program, COUNT_OF(program));
}

int reader_open(struct reader *reader, struct err *err)
{
	void *window;

	*reader = READER_NONE;
	reader->map = make_map();
	if (reader->map < 0)
		return err_errno(err, reader->map, "cannot make a BPF map");
	reader->program = load_program(reader->map);
	/* the verifier knows no such function: security/security.c, LOCKDOWN_BPF_READ_KERNEL */
	if (reader->program == -EINVAL)
		return err_set(err, -EPERM, "the kernel lets no BPF program read its memory (lockdown?)");
	if (reader->program < 0)
		return err_errno(err, reader->program, "cannot load a BPF program");
	window = mmap(NULL, WINDOW_SIZE, PROT_READ, MAP_SHARED, reader->map, 0);
	if (window == MAP_FAILED)
		return err_errno(err, -errno, "cannot map a BPF map");
	reader->window = window;
	return 0;
}

void reader_close(struct reader *reader)
{
	if (reader->window)
		munmap(reader->window, WINDOW_SIZE);
	cleanup_close(&reader->program);
	cleanup_close(&reader->ends_program);
	cleanup_close(&reader->map);
	*reader = READER_NONE;
}

static int run(int program, void *context, size_t size)
{
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)program,
					  .ctx_in = (uintptr_t)context,
					  .ctx_size_in = (uint32_t)size } };
	int rc = bpf(BPF_PROG_TEST_RUN, &attr);

	return rc < 0 ? rc : (int)attr.test.retval;
}

int reader_copy(const struct reader *reader, uint64_t address, size_t size)
{
	struct context context = { .address = address, .size = size };

	return size ? run(reader->program, &context, sizeof(context)) : 0;
}

int reader_load_ends(struct reader *reader, uint32_t entry)
{
	int program = reader->ends_program < 0 ? load_ends_program(reader->map, (int)entry) : 0;

	if (program > 0)
		reader->ends_program = program;
	return program < 0 ? program : 0;
}

int reader_copy_ends(const struct reader *reader, uint64_t address, uint64_t stride, size_t count)
{
	struct ends_context context = { .address = address, .stride = stride, .count = count };

	return run(reader->ends_program, &context, sizeof(context));
}

int reader_word(const struct reader *reader, uint64_t address, uint64_t *word)
{
	int rc = reader_copy(reader, address, sizeof(*word));

	if (rc == 0)
		memcpy(word, reader->window, sizeof(*word));
	return rc;
}

int reader_half(const struct reader *reader, uint64_t address, uint32_t *half)
{
	int rc = reader_copy(reader, address, sizeof(*half));

	if (rc == 0)
		memcpy(half, reader->window, sizeof(*half));
	return rc;
}

int reader_follow(const struct reader *reader, uint64_t address, const uint32_t *offsets, size_t count,
		  uint64_t *word)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++, address = *word)
		rc = reader_word(reader, address + offsets[i], word);
	return rc;
}

int reader_self(const struct reader *reader, uint64_t *task)
{
	struct context context = { 0 };
	int rc = run(reader->program, &context, sizeof(context));

	*task = context.address;
	return rc;
}
