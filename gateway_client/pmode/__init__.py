"""Processing modes: what two access points have agreed on. `model.PModes` finds the one that
governs a message."""
