internal import Glibc

extension Machine {
    /// Which boot of the machine this is: the kernel's, unless `VARVE_BOOT_ID` says otherwise (tests of power loss).
    ///
    /// While it stays the same, what was written without a sync is still there after the process died.
    public static func bootID() -> String {
        if let given = unsafe getenv("VARVE_BOOT_ID") { return unsafe String(cString: given) }
        // The kernel's file says that it is empty, so it is read without asking for its size.
        var text = [UInt8](repeating: 0, count: 64)
        let read = text.writeBytes { (bytes) -> Bool in
            guard let file = try? LocalDisk().open("/proc/sys/kernel/random/boot_id", .readOnly) else { return false }
            return (try? file.read(at: 0, into: &bytes)) != nil
        }
        let name = text.prefix { $0 > 32 }
        // Without the kernel's word every start counts as a new boot, which is slower and never wrong.
        guard read, !name.isEmpty else { return "unknown-\(UInt64.random(in: 0 ... .max))" }
        return String(decoding: name, as: UTF8.self)
    }
}
