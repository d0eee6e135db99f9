// SPDX-License-Identifier: GPL-2.0
/*
 * Is a file a whole BPF object? libbpf says of what is none only that it is invalid.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "walker.h"

/* More sections than any object has; extended numbering is for those. */
#define MAX_SECTIONS	1024

static int check_head(struct walker_object *o, const Elf64_Ehdr *head, ssize_t len)
{
	if (len < SELFMAG || memcmp(head->e_ident, ELFMAG, SELFMAG))
		return walker_object_fail(o, CLI_FORMAT,
			"%s: not a BPF object: it is no ELF file. Was its source meant? Build it with "
			"clang -target bpf -g -O2 -c", o->path);
	if (len < (ssize_t)sizeof(*head))
		return walker_object_fail(o, CLI_FORMAT,
			"%s: truncated within the ELF header, after %zd bytes; build it again",
			o->path, len);
	if (head->e_machine != EM_BPF)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: not a BPF object but ELF for machine %u (the native build?); "
			"carom needs what clang -target bpf makes", o->path, head->e_machine);
	if (head->e_ident[EI_DATA] != ELFDATA2LSB)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: a big-endian BPF object; use clang -target bpf, or bpfel", o->path);
	if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_type != ET_REL ||
	    head->e_shentsize != sizeof(Elf64_Shdr) || !head->e_shnum ||
	    head->e_shnum > MAX_SECTIONS)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: damaged: its ELF header is none that a compiler writes; build it again",
			o->path);
	return 0;
}

static bool within(__u64 off, __u64 len, __u64 size)
{
	return off <= size && len <= size - off;
}

static int check_sections(struct walker_object *o, int fd, const Elf64_Ehdr *head, __u64 size)
{
	Elf64_Shdr sections[MAX_SECTIONS];
	size_t len = head->e_shnum * sizeof(*sections);
	unsigned int i;

	if (!within(head->e_shoff, len, size) ||
	    pread(fd, sections, len, (off_t)head->e_shoff) != (ssize_t)len)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: truncated: its table of sections ends at byte %llu, the file has %llu; "
			"build it again", o->path, (unsigned long long)(head->e_shoff + len), size);
	for (i = 0; i < head->e_shnum; i++)
		if (sections[i].sh_type != SHT_NOBITS &&
		    !within(sections[i].sh_offset, sections[i].sh_size, size))
			return walker_object_fail(o, CLI_FORMAT,
				"%s: truncated or damaged: section %u is not within the file; build it "
				"again", o->path, i);
	return 0;
}

static int check_fd(struct walker_object *o, int fd)
{
	Elf64_Ehdr head;
	struct stat st;
	ssize_t len;
	int ret;

	if (fstat(fd, &st))
		return walker_object_fail(o, CLI_IO, "%s: %s", o->path, strerror(errno));
	len = pread(fd, &head, sizeof(head), 0);
	if (len < 0)
		return walker_object_fail(o, CLI_IO, "%s: cannot be read: %s", o->path,
					  strerror(errno));
	ret = check_head(o, &head, len);
	return ret ? ret : check_sections(o, fd, &head, (__u64)st.st_size);
}

int walker_elf_check(struct walker_object *o)
{
	int fd = open(o->path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return walker_object_fail(o, CLI_IO, "%s: cannot be read: %s", o->path,
					  strerror(errno));
	ret = check_fd(o, fd);
	close(fd);
	return ret;
}
