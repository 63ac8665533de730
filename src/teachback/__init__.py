"""teachback: live traffic in, a better chatbot out."""
