"""Train what tells a drawing's colour or material, on top of the trained trunk, which does not change.

usage: train_attributes.py WORK CHECKPOINT [PICTURES]

CHECKPOINT is the trunk's, as train_image.py wrote it. Writes WORK/attributes.pt. Most of the pictures are dressed in a colour or a material, the others
are as they were drawn: those of many colours, and of black or grey, have none.
"""

import pathlib
import sys

import numpy
import torch
from torch.nn import functional

from augment import Augment
from materials import ATTRIBUTES, COLOURS, Materials
from network import Attributes, Trunk
from train_image import Data, classes, normalised

PICTURES, BATCH, STEPS = 9000, 128, 4000
DRESSED = 0.6  # share of the pictures
GREY, ALONE = 0.25, 0.75  # saturation below which a pixel is grey; share of the colour that must be one


def natural(cutouts):
    """The attribute of each drawing as it is: the colour that nearly all of it has, or none."""
    paint, alpha = cutouts[:, :3] / cutouts[:, 3:].clamp_min(1e-3), cutouts[:, 3:]
    known = torch.tensor(list(COLOURS.values()), device=cutouts.device)
    greatest, least = paint.amax(1, keepdim=True), paint.amin(1, keepdim=True)
    coloured = ((greatest - least) > GREY).float() * alpha
    unit = functional.normalize(paint - paint.mean(1, keepdim=True) + 0.15 * paint, dim=1)
    refer = functional.normalize(known - known.mean(1, keepdim=True) + 0.15 * known, dim=1)
    nearest = torch.einsum("bchw,kc->bkhw", unit, refer).argmax(1)
    shares = torch.stack([((nearest == at).unsqueeze(1) * coloured).sum((1, 2, 3)) for at in range(len(known))], 1)
    share, best = (shares / alpha.sum((1, 2, 3)).clamp_min(1).unsqueeze(1)).max(1)
    return torch.where(share > ALONE, best, len(ATTRIBUTES))


def main(work, checkpoint, pictures=PICTURES):
    work, device = pathlib.Path(work), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(3)
    generator = torch.Generator(device)
    generator.manual_seed(3)
    data, augment, materials = Data(work, generator), Augment(generator, hard_share=0.3), Materials(generator)
    trunk = Trunk(len(classes(work)) + 1).to(device)
    trunk.load_state_dict(torch.load(checkpoint, map_location=device)["average"])
    trunk.eval()
    seen, labels = [], []
    while sum(map(len, labels)) < int(pictures):
        drawn = data.batch(BATCH)
        none = torch.full((BATCH,), len(ATTRIBUTES), device=device)
        put = torch.where(augment.uniform(BATCH) < DRESSED, torch.randint(len(ATTRIBUTES), (BATCH,), generator=generator, device=device), none)
        cutouts = materials.dressed(drawn["pixels"], put)
        with torch.no_grad():
            seen.append(trunk.everything(normalised(augment.calm(cutouts, drawn["may_flip"])))[2].float())
        labels.append(torch.where(put == none, natural(drawn["pixels"]), put))
    seen, labels = torch.cat(seen), torch.cat(labels)
    head, kept = Attributes(len(ATTRIBUTES) + 1).to(device), len(seen) * 9 // 10
    optimiser = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.05)
    for step in range(STEPS):
        rows = torch.randint(kept, (256,), generator=generator, device=device)
        loss = functional.cross_entropy(head(seen[rows]), labels[rows], label_smoothing=0.05)
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - step / STEPS)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    head.eval()
    with torch.no_grad():
        made = head(seen[kept:]).argmax(1)
    right = {name: round((made[labels[kept:] == at] == at).float().mean().item(), 2) for at, name in enumerate([*ATTRIBUTES, "none"])}
    print(f"right {(made == labels[kept:]).float().mean():.3f} of {len(made)}: {right}", flush=True)
    torch.save(head.state_dict(), work / "attributes.pt")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
