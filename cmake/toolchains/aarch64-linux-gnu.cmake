# Cross-compiles for AArch64 Linux with clang, and runs the result under qemu-user.
# Debian: clang or a Swift toolchain, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
# GNU ld of the cross compiler; a static program needs no library path under qemu.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -fuse-ld=bfd")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
