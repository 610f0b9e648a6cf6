internal import Glibc

/// The terminal a person may be looking at.
public enum Screen {
    /// Is standard error a terminal?
    public static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// How many columns it has; 80 if it does not say.
    public static var width: Int {
        var size = winsize()
        let status = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
        return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
