"""What plugin authors test with: simulators of CRMs that live on a real port."""
