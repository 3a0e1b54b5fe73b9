#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Resident memory of this process in bytes, 0 where the system does not say.
package func residentMemory() -> Int {
  #if os(Linux)
    // statm counts pages: total, resident, shared, …
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    let count = fread(&text, 1, text.count - 1, file)
    let fields = String(decoding: text[..<count].map(UInt8.init), as: UTF8.self).split(
      separator: " "
    )
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  #else
    var info = mach_task_basic_info()
    var count = mach_msg_type_number_t(
      MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size
    )
    let status = withUnsafeMutablePointer(to: &info) { pointer in
      pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
        task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
      }
    }
    return status == KERN_SUCCESS ? Int(info.resident_size) : 0
  #endif
}
