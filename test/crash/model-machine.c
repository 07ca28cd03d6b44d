// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/crash/model-machine.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

enum { PMEM_MAJOR = 259, LOOP_MAJOR = 7, DM_MAJOR = 253, MD_MAJOR = 9 };

/* The one whose files stand in for those that the program looks up by path. */
static struct model *current;

struct model *model_of_root(const struct root *root)
{
	/* the seam hands it on as const; the model that it is in is not */
	return (struct model *)((uintptr_t)root - offsetof(struct model, root));
}

int model_number(const struct device *device)
{
	return strncmp(device->name, "namespace", 9) == 0 ? device->name[9] - '0' : -1;
}

dev_t model_disk(int device, int partition)
{
	return makedev(PMEM_MAJOR, (unsigned)(device * MODEL_MINORS + partition));
}

dev_t model_stack_dev(const struct model_state *state, int stack)
{
	enum holder_type type = state->stacks[stack].type;

	return makedev(type == HOLDER_DM ? DM_MAJOR : type == HOLDER_MD ? MD_MAJOR : LOOP_MAJOR, (unsigned)stack);
}

bool model_stack_is_used(const struct model_state *state, int stack)
{
	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (state->filesystems[i].there && state->filesystems[i].stack == stack + 1 &&
		    model_is_alive(state, i))
			return true;
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (state->processes[i].alive && state->processes[i].stack == stack + 1)
			return true;
	return false;
}

void model_block_name(int device, int partition, char name[32])
{
	if (partition)
		snprintf(name, 32, "pmem%dp%d", device, partition);
	else
		snprintf(name, 32, "pmem%d", device);
}

int model_hand(struct model *model, enum handed_kind kind, int object)
{
	int fd = fcntl(model->null, F_DUPFD_CLOEXEC, 3);

	if (fd < 0 || fd >= MODEL_HANDED)
		abort();
	model->handed[fd] = (struct handed){ .kind = kind, .object = object, .mount = -1 };
	return fd;
}

/* Of this program; what another one has is another model's. */
void model_closed(int fd)
{
	if (current && fd >= 0 && fd < MODEL_HANDED)
		current->handed[fd].kind = 0;
}

struct handed *model_handed(struct model *model, int fd, enum handed_kind kind)
{
	return fd >= 0 && fd < MODEL_HANDED && model->handed[fd].kind == kind ? &model->handed[fd] : NULL;
}

struct handed *model_holds(struct model *model, enum handed_kind kind, int object)
{
	for (size_t i = 0; i < MODEL_HANDED; i++)
		if (model->handed[i].kind == kind && model->handed[i].object == object)
			return &model->handed[i];
	return NULL;
}

bool model_is_alive(const struct model_state *state, int filesystem)
{
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (state->mounts[i].there && state->mounts[i].filesystem == filesystem)
			return true;
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (state->processes[i].alive && state->processes[i].filesystem == filesystem)
			return true;
	return false;
}

bool model_uses_device(const struct model_state *state, int device)
{
	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (state->filesystems[i].there && state->filesystems[i].device == device &&
		    model_is_alive(state, i))
			return true;
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		if (state->swaps[i].on && state->swaps[i].device == device)
			return true;
	for (size_t i = 0; i < MODEL_SERVED; i++)
		if (state->served[i].on && state->served[i].device == device)
			return true;
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (state->stacks[i].there && state->stacks[i].device == device)
			return true;
	return false;
}

int model_mount_at(const struct model_state *state, int ns, const char *point)
{
	int found = -1;

	for (int i = 0; i < MODEL_MOUNTS; i++)
		if (state->mounts[i].there && state->mounts[i].ns == ns &&
		    strcmp(state->mounts[i].point, point) == 0 &&
		    (found < 0 || state->mounts[i].id > state->mounts[found].id))
			found = i;
	return found;
}

static bool is_below(const char *point, const char *above)
{
	size_t length = strlen(above);

	return strncmp(point, above, length) == 0 && (point[length] == '/' || !point[length]);
}

/* The mount that the point is in: the longest above it, and of those at one point the last. */
static int mount_around(const struct model_state *state, int ns, const char *point)
{
	int found = -1;

	for (int i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *mount = &state->mounts[i], *best = &state->mounts[found < 0 ? 0 : found];

		if (!mount->there || mount->ns != ns || !is_below(point, mount->point))
			continue;
		if (found < 0 || strlen(mount->point) > strlen(best->point) ||
		    (strlen(mount->point) == strlen(best->point) && mount->id > best->id))
			found = i;
	}
	return found;
}

int model_add_mount(struct model_state *state, const struct model_mount *mount)
{
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		int inside;

		if (state->mounts[i].there)
			continue;
		inside = mount_around(state, mount->ns, mount->point);
		state->mounts[i] = *mount;
		state->mounts[i].there = true;
		state->mounts[i].id = ++state->next_id;
		state->mounts[i].inside = inside;
		return i;
	}
	abort();
}

void model_end_process(struct model *model, int process)
{
	struct model_process *one = &model->state->processes[process];

	one->alive = one->doomed = false;
	if (eventfd_write(model->ends[process], 1) < 0)
		abort();
}

static bool is_kept(struct model *model, int ns)
{
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (model->state->processes[i].alive && model->state->processes[i].keeps == ns)
			return true;
	return model_holds(model, HANDED_NAMESPACE, ns) != NULL;
}

/* With its last user goes a loop device that was made to. */
static void sweep_stacks(struct model *model)
{
	for (int i = 0; i < MODEL_STACKS; i++)
		if (model->state->stacks[i].autoclear && !model_stack_is_used(model->state, i) &&
		    !model_holds(model, HANDED_STACK, i))
			model->state->stacks[i].there = false;
}

void model_sweep(struct model *model)
{
	struct model_state *state = model->state;

	sweep_stacks(model);
	if (!state->namespaces[MODEL_LOCKED] || is_kept(model, MODEL_LOCKED))
		return;
	state->namespaces[MODEL_LOCKED] = false;
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (state->mounts[i].ns == MODEL_LOCKED)
			state->mounts[i].there = false;
}

static void write_file(const struct model *model, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", model->path, name);
	for (char *slash = path + strlen(model->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

void model_write_boot_id(struct model *model, const char *id)
{
	write_file(model, "/proc/sys/kernel/random/boot_id", id);
}

/* Forked before there is a lock that it could keep. */
static pid_t start_hung(void)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

struct child model_hang(const struct model *model)
{
	return (struct child){ .pid = model->hung, .pidfd = -1, .socket = -1 };
}

void model_make(struct model *model, const char *parent)
{
	*model = (struct model){ .frozen = -1, .hung = start_hung() };
	snprintf(model->path, sizeof(model->path), "%s/dax-retire-crash.XXXXXX", parent);
	if (!mkdtemp(model->path))
		abort();
	model_write_boot_id(model, "one\n");
	write_file(model, "/run/.here", "");
	write_file(model, "/var/lib/.here", "");
	if (root_open(&model->root, model->path) < 0)
		abort();
	model->state =
		mmap(NULL, sizeof(*model->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (model->state == MAP_FAILED)
		abort();
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		model->ends[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	model_effects_init(model);
	model->machine = (struct machine){ .root = &model->root,
					   .effects = &model->effects,
					   .find_again = model_find_again,
					   .find_holders = model_find_holders,
					   .count_references = model_count_references,
					   .find_memory_keepers = model_find_memory_keepers,
					   .probe = model_probe,
					   .is_enabled = model_is_enabled,
					   .check_identity = model_check_identity };
	model->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	current = model;
}

void model_copy(const struct model *model, struct model *other)
{
	*other = *model;
	memset(other->handed, 0, sizeof(other->handed));
	other->frozen = -1;
	model_effects_init(other);
	other->machine.root = &other->root;
	other->machine.effects = &other->effects;
}

void model_switch(struct model *model)
{
	current = model;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_below(const struct model *model, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", model->path, name);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void model_end(struct model *model)
{
	remove_below(model, "");
	root_close(&model->root);
	if (kill(model->hung, SIGKILL) == 0)
		waitpid(model->hung, NULL, 0);
	close(model->null);
	current = NULL;
	munmap(model->state, sizeof(*model->state));
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		close(model->ends[i]);
}

/* The directories stay: to make them is no part of what is tested most. */
static void empty(const struct model *model, const char *name)
{
	char path[128];
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s%s", model->path, name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
}

void model_reset(struct model *model, const struct model_state *state)
{
	eventfd_t number;

	model->foreign_may_go = false;
	model->before = *state;
	model->frozen = -1;
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (!model->state->processes[i].alive && eventfd_read(model->ends[i], &number) < 0 &&
		    errno != EAGAIN)
			abort();
	*model->state = *state;
	empty(model, "/run/dax-retire/journal");
	empty(model, "/var/lib/dax-retire");
	model->effects.hanging = CHILD_NONE;
	model->effects.hanging_more = false;
	current = model;
}

void model_program_died(struct model *model, bool with_guardian)
{
	for (int i = 0; i < MODEL_FILESYSTEMS; i++) {
		if (model->state->filesystems[i].freezer != FROZEN_BY_GUARDIAN)
			continue;
		model->state->filesystems[i].freezer = with_guardian ? FROZEN_LEFT : NOT_FROZEN;
		for (int j = 0; !with_guardian && j < MODEL_PROCESSES; j++)
			if (model->state->processes[j].doomed)
				model_end_process(model, j);
	}
	model->frozen = -1;
	model_sweep(model);
}

void model_reboot(struct model *model, bool mounts_again)
{
	struct model_state *state = model->state;

	empty(model, "/run/dax-retire/journal");
	if (mounts_again)
		*state = model->before;
	for (int i = 0; i < MODEL_PROCESSES; i++)
		if (state->processes[i].alive)
			model_end_process(model, i);
	memset(state->kept, 0, sizeof(state->kept));
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		state->mounts[i].there &= mounts_again && state->mounts[i].ns == MODEL_INITIAL;
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		state->swaps[i].on &= mounts_again;
	for (size_t i = 0; i < MODEL_SERVED; i++)
		state->served[i].on &= mounts_again;
	for (size_t i = 0; i < MODEL_STACKS; i++)
		state->stacks[i].there &= mounts_again;
	for (size_t i = 0; i < MODEL_FILESYSTEMS; i++)
		state->filesystems[i].freezer = NOT_FROZEN;
	for (size_t i = 0; i < MODEL_DEVICES; i++)
		state->devices[i].enabled = state->devices[i].there;
	memcpy(state->blocks, model->before.blocks, sizeof(state->blocks));
	state->cxl = model->before.cxl;
	state->kept_offline = false;
	for (int i = 0; i < MODEL_NAMESPACES; i++)
		state->namespaces[i] = i == MODEL_INITIAL;
	model_write_boot_id(model, "two\n");
}

bool __wrap_holders_process_lives(const struct root *root, const struct process *process);
int __real_fstatat64(int directory, const char *name, struct stat *found, int flags);
int __wrap_fstatat64(int directory, const char *name, struct stat *found, int flags);

bool __wrap_holders_process_lives(const struct root *root, const struct process *process)
{
	const struct model_state *state = model_of_root(root)->state;

	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (state->processes[i].pid == process->pid)
			return state->processes[i].alive && !state->processes[i].doomed;
	return false;
}

static int stat_node(const struct model_state *state, const char *name, struct stat *found)
{
	int device, partition = 0, stack;

	if ((sscanf(name, "dev/loop%d", &stack) == 1 || sscanf(name, "dev/dm-%d", &stack) == 1 ||
	     sscanf(name, "dev/md%d", &stack) == 1) &&
	    state->stacks[stack].there) {
		*found = (struct stat){ .st_mode = S_IFBLK | 0600, .st_rdev = model_stack_dev(state, stack) };
		return 0;
	}
	if (sscanf(name, "dev/pmem%dp%d", &device, &partition) < 1 || !state->devices[device].enabled)
		return -1;
	*found = (struct stat){ .st_mode = S_IFBLK | 0600, .st_rdev = model_disk(device, partition) };
	return 0;
}

/* The file system that has a file of this path when all is mounted; -1: the model knows none. */
static int owner_of_file(const struct model_state *state, const char *name)
{
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		if (state->swaps[i].file && state->swaps[i].path[0] && strcmp(state->swaps[i].path + 1, name) == 0)
			return state->swaps[i].filesystem;
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (state->stacks[i].path[0] && state->stacks[i].filesystem >= 0 &&
		    strcmp(state->stacks[i].path + 1, name) == 0)
			return state->stacks[i].filesystem;
	return -1;
}

static int stat_file(const struct model_state *state, const char *name, int owner, struct stat *found)
{
	char path[64];
	int mount;

	snprintf(path, sizeof(path), "/%.60s", name);
	mount = mount_around(state, MODEL_INITIAL, path);
	if (mount < 0 || state->mounts[mount].filesystem != owner)
		return -1;
	*found = (struct stat){ .st_mode = S_IFREG | 0600, .st_dev = state->filesystems[owner].dev };
	return 0;
}

static const struct model_served *served_at(const struct model_state *state, const char *name)
{
	for (size_t i = 0; i < MODEL_SERVED; i++)
		if (state->served[i].filesystem >= 0 && state->served[i].path[0] &&
		    strcmp(state->served[i].path + 1, name) == 0)
			return &state->served[i];
	return NULL;
}

/* An exported directory, or the file below a target. */
static int stat_served(const struct model_state *state, const struct model_served *served, struct stat *found)
{
	int mount = mount_around(state, MODEL_INITIAL, served->path);

	if (mount < 0 || state->mounts[mount].filesystem != served->filesystem)
		return -1;
	*found = (struct stat){ .st_mode = served->nvme ? S_IFREG | 0600 : S_IFDIR | 0700,
				.st_dev = state->filesystems[served->filesystem].dev };
	return 0;
}

/* Nodes and files by path. */
int __wrap_fstatat64(int directory, const char *name, struct stat *found, int flags)
{
	if (!current || directory != current->root.fd)
		return __real_fstatat64(directory, name, found, flags);
	errno = ENOENT;
	if (strncmp(name, "dev/", 4) == 0)
		return stat_node(current->state, name, found);
	if (served_at(current->state, name))
		return stat_served(current->state, served_at(current->state, name), found);
	if (owner_of_file(current->state, name) >= 0)
		return stat_file(current->state, name, owner_of_file(current->state, name), found);
	return __real_fstatat64(directory, name, found, flags);
}

int model_open_node(int directory, const char *name)
{
	struct stat found;
	int fd;

	if (!current || directory != current->root.fd)
		return -2;
	if (__wrap_fstatat64(directory, name, &found, 0) < 0)
		return strncmp(name, "dev/", 4) == 0 ? -1 : -2;
	if (!S_ISBLK(found.st_mode) && owner_of_file(current->state, name) < 0 && !served_at(current->state, name))
		return -2;
	fd = model_hand(current, HANDED_NODE, 0);
	model_handed(current, fd, HANDED_NODE)->found = found;
	return fd;
}

int __real_fstat64(int fd, struct stat *found);
int __wrap_fstat64(int fd, struct stat *found);

int __wrap_fstat64(int fd, struct stat *found)
{
	const struct handed *node = current ? model_handed(current, fd, HANDED_NODE) : NULL;

	if (!node)
		return __real_fstat64(fd, found);
	*found = node->found;
	return 0;
}
