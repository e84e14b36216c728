"""To say the first of 40 numbers after the last, in Lightning, watched: a lag that an LSTM has to learn to bridge.

pip install lightning rnnviz
python lightning_lag.py
"""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import rnnviz

LAG = 40


class Recall(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def training_step(self, batch, number):
        x, y = batch
        states, _ = self.lstm(x)
        return nn.functional.mse_loss(self.head(states[:, -1]), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.003)


lightning.seed_everything(0)
x = torch.rand(1024, LAG, 1)
loader = DataLoader(TensorDataset(x, x[:, 0]), batch_size=64, shuffle=True)

# the one line: a record of every 16th batch, with all its sequences
watch = rnnviz.lightning.Watch("runs/lightning-lag", every=16, keep=64)
quiet = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
trainer = lightning.Trainer(max_epochs=4, callbacks=[watch], accelerator="cpu", **quiet)
trainer.fit(Recall(), loader)

for record in rnnviz.Recording.open("runs/lightning-lag"):
    norms = record.trace("lstm").grad_norm()
    print(f"batch {record.step:3}  loss {record.loss:.3f}  |dL/dh_1| / |dL/dh_{LAG}| = {norms[1] / norms[-1]:.1e}")
print("rnnviz runs/lightning-lag")
