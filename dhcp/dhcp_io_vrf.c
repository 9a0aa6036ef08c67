/* A control group with a program that the kernel runs for each new IP socket of its processes, and
 * that binds the socket to the VRF: what `ip vrf exec` does (ip-vrf(8)), for one process and
 * without a shell. See bpf(2), cgroups(7). */
#include "dhcp/dhcp_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { GROUP_PATH = 512 };

static int bpf(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/* sk->bound_dev_if = index; return 1 */
static int load_program(uint32_t index)
{
    const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = (int)index},
        {.code = BPF_STX | BPF_MEM | BPF_W,
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_REG_2,
         .off = offsetof(struct bpf_sock, bound_dev_if)},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_CGROUP_SOCK,
        .insns = (uint64_t)(uintptr_t)program,
        .insn_cnt = sizeof program / sizeof *program,
        .license = (uint64_t)(uintptr_t) "GPL",
        .expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE,
    };
    int fd = bpf(BPF_PROG_LOAD, &attr);

    return fd < 0 ? -errno : fd;
}

static int attach_program(int group, int program)
{
    union bpf_attr attr = {
        .target_fd = (uint32_t)group,
        .attach_bpf_fd = (uint32_t)program,
        .attach_type = BPF_CGROUP_INET_SOCK_CREATE,
    };

    return bpf(BPF_PROG_ATTACH, &attr) ? -errno : 0;
}

/* The group of a service below our own, so that a supervisor that gave us ours knows all of it. */
static int group_path(const char *key, char buffer[GROUP_PATH])
{
    char text[GROUP_PATH / 2], *path, *end;
    ssize_t n = dhcp_file_read("/proc/self/cgroup", text, sizeof text);
    struct statfs mounted;

    if (n < 0) {
        return (int)n;
    }
    if (statfs("/sys/fs/cgroup", &mounted) || mounted.f_type != CGROUP2_SUPER_MAGIC) {
        return -ENOTSUP;
    }
    path = strncmp(text, "0::/", 4) ? strstr(text, "\n0::/") : text - 1;
    if (!path) {
        return -ENOTSUP; /* no cgroup2 */
    }
    path += strlen("\n0::");
    end = strchr(path, '\n');
    if (end) {
        *end = '\0';
    }
    snprintf(buffer, GROUP_PATH, "/sys/fs/cgroup%s/routerd-%s", strcmp(path, "/") ? path : "", key);
    return 0;
}

static int open_procs(int group, uint32_t index)
{
    int program = load_program(index), error, fd;

    if (program < 0) {
        return program;
    }
    error = attach_program(group, program);
    close(program);
    if (error) {
        return error;
    }
    fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int dhcp_vrf_enter(const char *key, uint32_t index, int *ret_fd)
{
    char path[GROUP_PATH];
    int error = group_path(key, path), group, fd;

    if (error) {
        return error;
    }
    if (mkdir(path, 0755) && errno != EEXIST) {
        return -errno;
    }
    group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0) {
        return -errno;
    }
    fd = open_procs(group, index);
    close(group);
    if (fd < 0) {
        rmdir(path);
        return fd;
    }
    *ret_fd = fd;
    return 0;
}

void dhcp_vrf_leave(const char *key)
{
    char path[GROUP_PATH];

    if (!group_path(key, path)) {
        rmdir(path);
    }
}
