/// Generators of data whose truth is known. The same seed gives the same data.
public enum Synthetic {}
