// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Many keys at once: chains of several keys each, in a queue of their own; or of one key,
 * where the format has no others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "many.h"

#define DEFAULT_CHAINS		8
#define DEFAULT_CHAIN_KEYS	8
/* Times that all is looked up again because of a writer. */
#define MAX_TRIES		100

static const struct carom_many_format *const formats[] = { &carom_many_lmdb, &carom_many_sqlite };
#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

static const struct carom_many_format *format_of(const struct carom_index *ix)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++)
		if (formats[i]->format == ix->format)
			return formats[i];
	return NULL;
}

/* ---- beginning and end ---- */

static int take_opts(struct carom_many *many, const struct carom_many_opts *opts,
		     struct carom_error *err)
{
	struct carom_many_opts own;
	int ret = carom_opts_copy(&own, sizeof(own), opts, "carom_many_opts", err);

	if (ret)
		return ret;
	if (own.chains > MAX_CHAINS)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: chains is %u, at most %u", own.chains, MAX_CHAINS);
	many->chains = own.chains ? own.chains : DEFAULT_CHAINS;
	many->chain_keys = own.chain_keys ? own.chain_keys : DEFAULT_CHAIN_KEYS;
	if (many->fmt)
		return 0;
	return carom_error_set(err, CAROM_FAULT_USAGE, -EOPNOTSUPP,
		"%s: in files of format %s keys are looked up one by one", many->ix->path,
		many->ix->format->name);
}

static struct carom_view view_of(struct carom_many *many)
{
	const struct carom_index *ix = many->ix;

	many->walker = many->fmt->walker(ix->format_data);
	if (!many->walker)
		return (struct carom_view){
			.walker = ix->walker, .format = ix->format, .state_size = ix->state_size,
			.forget = ix->forget,
			.max_readers = 1, .max_in_flight = MAX_CHAINS, .max_hops = ix->max_hops,
		};
	return (struct carom_view){
		.walker = many->walker, .format = many->fmt->chains,
		.state_size = many->fmt->chains->lookup_size,
		.forget = many->fmt->chains->forget,
		.max_readers = 1, .max_in_flight = MAX_CHAINS, .max_hops = CAROM_SCAN_HOPS,
	};
}

static int many_init(struct carom_many *many, struct carom_error *err)
{
	const struct carom_view spec = view_of(many);
	const struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = many->chains };
	struct carom_index *view;
	int ret;

	many->version = calloc(1, many->fmt->version_size);
	if (!many->version)
		return no_memory(err);
	ret = carom_reader__new(many->ix, &many->point, err);
	if (!ret)
		ret = carom_index_view(many->ix, &spec, &view, err);
	return ret ? ret : carom_queue__new(view, &opts, &many->q, err);
}

int carom_many__new(struct carom_index *ix, const struct carom_many_opts *opts,
		    struct carom_many **out, struct carom_error *err)
{
	struct carom_error spare;
	struct carom_many *many;
	int ret;

	if (!err)
		err = &spare;
	memset(err, 0, sizeof(*err));
	if (!ix || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "index or out is NULL");
	*out = NULL;
	many = calloc(1, sizeof(*many));
	if (!many)
		return no_memory(err);
	many->ix = ix;
	many->fmt = format_of(ix);
	ret = take_opts(many, opts, err);
	if (!ret)
		ret = many_init(many, err);
	if (ret)
		carom_many__free(many);
	else
		*out = many;
	return ret;
}

void carom_many__free(struct carom_many *many)
{
	if (!many)
		return;
	carom_many_let_go(many);
	carom_queue__free(many->q);
	carom_reader__free(many->point);
	free(many->parts);
	free(many->unique);
	free(many->sorted);
	free(many->version);
	free(many);
}

/* ---- keys ---- */

static int by_order(const void *a, const void *b, void *arg)
{
	const struct carom_many *many = arg;

	return many->fmt->compare(*(const struct carom_value *const *)a,
				  *(const struct carom_value *const *)b);
}

static int make_room(struct carom_many *many, size_t nr)
{
	void *p;

	if (nr <= many->room)
		return 0;
	p = reallocarray(many->sorted, nr, sizeof(*many->sorted));
	if (p)
		many->sorted = p;
	p = p ? reallocarray(many->unique, nr, sizeof(*many->unique)) : NULL;
	if (p)
		many->unique = p;
	p = p ? reallocarray(many->parts, nr, sizeof(*many->parts)) : NULL;
	if (!p)
		return no_memory(&many->err);
	many->parts = p;
	many->room = nr;
	return 0;
}

/* Those that a file can have, in order; and each of them once. Or all, as they come. */
static void sort_keys(struct carom_many *many, size_t nr)
{
	size_t i, n = 0, u = 0;

	many->nr_sorted = 0;
	many->nr_unique = nr;
	for (i = 0; i < nr && !many->walker; i++)
		many->unique[i] = &many->keys[i];
	if (!many->walker)
		return;
	for (i = 0; i < nr; i++)
		if (many->fmt->valid(&many->keys[i]))
			many->sorted[n++] = &many->keys[i];
	if (n)
		qsort_r(many->sorted, n, sizeof(*many->sorted), by_order, many);
	for (i = 0; i < n; i++)
		if (!i || many->fmt->compare(many->sorted[i - 1], many->sorted[i]))
			many->unique[u++] = many->sorted[i];
	many->nr_sorted = n;
	many->nr_unique = u;
}

static void divide_keys(struct carom_many *many)
{
	size_t chains = many->nr_unique / many->chain_keys, each, pos, left;

	if (chains > many->chains)
		chains = many->chains;
	if (!chains)
		chains = 1;
	each = (many->nr_unique + chains - 1) / chains;
	if (!many->walker)
		each = 1;
	many->nr_parts = 0;
	for (pos = 0; pos < many->nr_unique; pos += left) {
		left = many->nr_unique - pos < each ? many->nr_unique - pos : each;
		if (many->walker)
			left = many->fmt->fits(many->unique + pos, left);
		many->parts[many->nr_parts++] = (struct part){ .first = pos, .nr = left };
	}
}

/* ---- chains ---- */

/* 1: there is no chain, as its only key cannot be looked up, which its answer says. */
static int submit_single(struct carom_many *many, size_t i)
{
	const struct carom_value *key = many->unique[i];
	int ret = carom_queue__submit(many->q, key->data, key->len, i);

	if (ret != -EINVAL)
		return ret;
	carom_many_alone(many, key);
	return 1;
}

static int submit_part(struct carom_many *many, size_t i)
{
	const struct carom_many_chain chain = {
		.version = many->version, .keys = many->unique + many->parts[i].first,
		.nr = many->parts[i].nr,
	};

	if (!many->walker)
		return submit_single(many, i);
	return carom_queue__submit(many->q, &chain, sizeof(chain), i);
}

/* Chains may still be under way, so nothing can be done with the queue any more. */
static int queue_failed(struct carom_many *many, int ret)
{
	many->err = *carom_queue__error(many->q);
	many->broken = ret;
	return ret;
}

static int run_parts(struct carom_many *many)
{
	bool hold = many->nr_parts <= many->chains;
	const struct carom_completion *c;
	size_t sent = 0, flying = 0;
	int ret;

	for (; ; flying--) {
		while (sent < many->nr_parts && flying < many->chains) {
			ret = submit_part(many, sent++);
			if (ret < 0)
				return queue_failed(many, ret);
			flying += !ret;
		}
		if (!flying)
			return 0;
		ret = carom_queue__wait(many->q, &c);
		if (ret)
			return queue_failed(many, ret);
		carom_many_part(many, c, hold);
	}
}

/* 1: these are the answers; 0: a writer was quicker; negative errno. */
static int get_once(struct carom_many *many, size_t nr)
{
	size_t i;
	int ret;

	carom_many_let_go(many);
	memset(&many->err, 0, sizeof(many->err));
	many->ret = 0;
	many->alone = false;
	for (i = 0; i < nr; i++)
		many->answers[i] = (struct carom_answer){ 0 };
	ret = many->fmt->version(many->point, many->version, &many->err);
	if (ret < 0)
		return ret;
	if (!ret) {
		ret = run_parts(many);
	} else {
		for (i = 0; i < many->nr_unique; i++)
			answer_of(many, many->unique[i])->ret = CAROM_NOTFOUND;
		ret = 0;
	}
	if (ret)
		return ret;
	carom_many_rest(many, nr);
	return many->fmt->unchanged(many->point, many->version, many->alone, &many->err);
}

int carom_many__get(struct carom_many *many, const struct carom_value *keys, size_t nr,
		    struct carom_answer *answers)
{
	unsigned int tries;
	int ret = 0;

	if (nr && (!keys || !answers))
		return carom_error_set(&many->err, CAROM_FAULT_USAGE, -EINVAL,
				       "keys or answers is NULL");
	if (many->broken)
		return many->broken;
	many->keys = keys;
	many->answers = answers;
	ret = make_room(many, nr);
	if (ret)
		return ret;
	sort_keys(many, nr);
	divide_keys(many);
	for (tries = 0; tries < MAX_TRIES && !ret; tries++)
		ret = get_once(many, nr);
	if (ret)
		return ret < 0 ? ret : many->ret;
	return carom_error_set(&many->err, CAROM_FAULT_IO, -EAGAIN,
		"%s: a writer commits faster than the keys can be looked up (%d tries); try "
		"again", many->ix->path, MAX_TRIES);
}

/* ---- what there is to say of it ---- */

const struct carom_error *carom_many__error(const struct carom_many *many)
{
	return &many->err;
}

void carom_many__stats(const struct carom_many *many, struct carom_reader_stats *st, size_t sz)
{
	struct carom_reader_stats all, point;

	carom_queue__stats(many->q, &all, sizeof(all));
	carom_reader__stats(many->point, &point, sizeof(point));
	all.lookups += point.lookups;
	all.hops += point.hops;
	all.kernel_hops += point.kernel_hops;
	all.fallbacks += point.fallbacks;
	carom_stats_copy(&all, st, sz);
}

enum carom_backend carom_many__backend(const struct carom_many *many)
{
	return carom_index__backend(many->q->ix);
}
