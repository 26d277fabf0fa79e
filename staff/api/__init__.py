"""What every API door shares, and the doors of this room: doctors, branches, shifts, the change feed, the schema."""

from staff.api.parsing import StrictJSONParser
from staff.api.problems import Problem, problem, problem_response

__all__ = ["Problem", "StrictJSONParser", "problem", "problem_response"]
