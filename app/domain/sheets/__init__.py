"""From a foreign workbook to a checked plan: find the table, match its columns, read its values, say what is wrong."""
