"""The node that every host shows, as `vr180_ofx.node` defines it: node.json, and what writes it. Installed as `vr180_ofx.nodes`."""
