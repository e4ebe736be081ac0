"""The physics of simulated micrographs: specimen, electron wave, optics, camera, labels."""
