// SPDX-License-Identifier: GPL-2.0
#include "anywhere_step.h"

ANYWHERE_WALKER(anywhere4096, 4096)
