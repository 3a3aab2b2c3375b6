"""The demo plant: real OPC UA and Modbus TCP servers on loopback, with faults on demand."""

from app.drivers.simulator.machines import MACHINES
from app.drivers.simulator.model import simulated_plant
from app.drivers.simulator.plant import SimulatedPlant

__all__ = ["MACHINES", "SimulatedPlant", "simulated_plant"]
