internal import Glibc

/// The kernel's words for an error number.
public enum ErrnoText {
    /// "No such file or directory" for 2.
    public static func of(_ errno: Int32) -> String {
        guard let text = unsafe strerror(errno) else { return "error \(errno)" }
        return unsafe String(cString: text)
    }
}
