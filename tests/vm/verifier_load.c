// SPDX-License-Identifier: GPL-2.0
/*
 * usage: verifier_load OBJECT
 * Loads an object, registers its walkers one after the other, and says
 * "loaded", or the error with the verifier's log before it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

static char log_buf[1 << 20];

static int print_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vprintf(fmt, args) : 0;
}

static int attach_all(struct bpf_object *obj)
{
	unsigned int attached = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		/* The process ends soon, and the links with it. */
		if (!bpf_map__attach_struct_ops(map))
			return -errno;
		attached++;
	}
	return attached ? 0 : -ENOENT;
}

static int load(const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		.kernel_log_buf = log_buf,
		.kernel_log_size = sizeof(log_buf),
		.kernel_log_level = 1,
	);
	struct bpf_object *obj = bpf_object__open_file(path, &opts);
	int err;

	if (!obj)
		return -errno;
	err = bpf_object__load(obj);
	return err ? err : attach_all(obj);
}

int main(int argc, char **argv)
{
	int err;

	if (argc != 2)
		return 2;
	libbpf_set_print(print_warning);
	err = load(argv[1]);
	printf("%s%s\n", log_buf, err ? strerror(-err) : "loaded");
	return err ? 1 : 0;
}
