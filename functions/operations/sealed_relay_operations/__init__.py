"""Operations: an operator asks this function to move entries of the failure queue back to the ingress queue."""
