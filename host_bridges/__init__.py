"""What runs inside hosts, as files to be copied there, and their installation. Nothing in the folders below imports this package."""
