"""Synthetic, deterministic demo data: people who don't exist in communities that do (docs/demo-data.md)."""

from app.demo.model import DemoApplication, DemoHousehold, DemoMember, DemoPerson, DemoPopulation, DemoState
from app.demo.population import demo_population, second_population, tutorial_household
from app.demo.residents import DEMO_DISTRICT, SECOND_DISTRICT, area_file, demo_areas, resident_counts

__all__ = [
    "DEMO_DISTRICT",
    "SECOND_DISTRICT",
    "DemoApplication",
    "DemoHousehold",
    "DemoMember",
    "DemoPerson",
    "DemoPopulation",
    "DemoState",
    "area_file",
    "demo_areas",
    "demo_population",
    "resident_counts",
    "second_population",
    "tutorial_household",
]
