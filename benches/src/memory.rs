//! Peak resident memory of this process (Linux; nothing is known elsewhere).

use std::fs;

/// The largest resident size since the start, or since [`reset_peak_rss`], in bytes.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Lets the peak start again from the present size; false where the system does not offer it.
pub fn reset_peak_rss() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn touching_memory_raises_the_peak() {
        let before = super::peak_rss_bytes().expect("Linux has VmHWM");
        let block = vec![1_u8; 64 << 20];
        let after = super::peak_rss_bytes().expect("Linux has VmHWM");
        assert_eq!(block.iter().map(|&b| u64::from(b)).sum::<u64>(), 64 << 20);
        assert!(after >= before && after >= 64 << 20);
    }
}
