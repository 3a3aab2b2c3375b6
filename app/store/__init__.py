"""What is kept: tables, the one writer, the outbox and audit trail, read models for screens, machine history."""
