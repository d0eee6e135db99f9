/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of rights have in common: a file, and children who have less of them. */
#ifndef CAROM_RIGHTS_H
#define CAROM_RIGHTS_H

#include "../vm/vm.h"

#define NOBODY	65534
#define ALICE	1000
#define CHASE	VM_FILE("rights.chase")
#define NODES	64

/* What a child says in its exit status besides a refusal. */
enum said {
	SAID_SEALED = 100,
	SAID_CANNOT_BECOME,
	SAID_CANNOT_OPEN_FILE,
	SAID_CANNOT_OPEN_DEVICE,
	SAID_OTHER_ERROR,
	SAID_WRONG_ANSWER,
	SAID_RIGHT,
};

int rights_setup(void **state);
int rights_teardown(void **state);
/* Every test begins with a file of ALICE's that all may read, and a device for all. */
int rights_begin(void **state);
int rights_end(void **state);

#define RIGHTS_TEST(f) cmocka_unit_test_setup_teardown(f, rights_begin, rights_end)

/* Be @id and nothing else. */
int become(unsigned int id);
/* Run @fn in a child; its return value. */
int in_child(int (*fn)(void *arg), void *arg);
/* Try to seal @path as who one is; a refusal or enum said. */
int seal(const char *path);

#endif /* CAROM_RIGHTS_H */
