"""Clusters and who claims them: what FAT and exFAT need to be honest about deleted files.

Both number clusters from 2; a ``Grid`` says where they lie. ``ClusterSet`` is a packed set of them,
``layout`` concludes where the clusters of deleted files were.
"""

from kaval.filesystems.clusters.grid import FIRST_CLUSTER, Grid, Run
from kaval.filesystems.clusters.sets import ClusterSet
from kaval.filesystems.clusters.table import ChainTable, TablePlace

__all__ = ["FIRST_CLUSTER", "ChainTable", "ClusterSet", "Grid", "Run", "TablePlace"]
