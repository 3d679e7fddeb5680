"""The rooms behind ``tornado4.http1connection``, which is their face and says what they do."""
