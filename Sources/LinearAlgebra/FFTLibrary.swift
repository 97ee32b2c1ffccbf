import CFFTW

/// The FFT that the process runs on.
public enum FFTLibrary {
    /// The library's name and version.
    public static var version: String { unsafe String(cString: dsc_fftw_version()) }
}
