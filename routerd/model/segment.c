/* What follows from a segment and the configuration together. */
#include "model/topology.h"

enum { TAG_BYTES = 4 };

unsigned int attachment_mtu(const struct config *config, const struct attachment *attachment)
{
    const struct config_uplink *uplink =
        attachment->uplink ? config_find_uplink(config, attachment->uplink) : NULL;

    if (!uplink || uplink->type != UPLINK_TRUNK) {
        return 0;
    }
    return attachment->outer_vlan ? uplink->mtu - TAG_BYTES : uplink->mtu;
}

unsigned int segment_mtu(const struct config *config, const struct segment *segment)
{
    unsigned int mtu = 0;

    for (size_t i = 0; i < segment->n_attachments; i++) {
        unsigned int one = attachment_mtu(config, &segment->attachments[i]);

        if (one && (!mtu || one < mtu)) {
            mtu = one;
        }
    }
    if (segment->mtu && segment->mtu < mtu) {
        mtu = segment->mtu;
    }
    return segment->mtu_max && segment->mtu_max < mtu ? segment->mtu_max : mtu;
}
