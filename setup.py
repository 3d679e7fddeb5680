"""The one thing that pyproject.toml cannot say yet without a warning of setuptools: the module in C."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("tornado4.speedups", ["tornado4/speedups.c"], py_limited_api=True, optional=True)])
