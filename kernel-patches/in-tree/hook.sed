# SPDX-License-Identifier: GPL-2.0
# pci.c behind CONFIG_NVME_CHAIN, after the last patch of kernel-patches/KVER.
s/^\tu16 chain_budget;$/#ifdef CONFIG_NVME_CHAIN\n&\n#endif/
/^\/\*$/{
	N
	/A fast device can complete the reads that a pass/s/^/#ifdef CONFIG_NVME_CHAIN\n\n/
}
/^\t\tnvmeq->chain_budget = READ_ONCE(chain_budget);$/{
	n
	a\
\
#else /* CONFIG_NVME_CHAIN */\
\
static inline bool nvme_req_is_chain(struct request *req)\
{\
	return false;\
}\
\
static inline void nvme_chain_complete(struct nvme_queue *nvmeq,\
				       struct request *req,\
				       const struct nvme_completion *cqe)\
{\
}\
\
static inline void nvme_chain_refill_budget(struct nvme_queue *nvmeq)\
{\
}\
\
#endif /* CONFIG_NVME_CHAIN */
}
/^\/\*\*$/{
	N
	/ nvme_chain_probe() - /s/^/#ifdef CONFIG_NVME_CHAIN\n\n/
}
s/^EXPORT_SYMBOL_GPL(nvme_chain_disable);$/&\n\n#endif \/* CONFIG_NVME_CHAIN *\//
# Or what is left of it would be compiled into the timeout handler, with the symbol or without.
s/^static int nvme_poll(struct blk_mq_hw_ctx \*hctx, struct io_comp_batch \*iob)$/static noinline int nvme_poll(struct blk_mq_hw_ctx *hctx,\n\t\t\t      struct io_comp_batch *iob)/
