# Builds the CPU part of the addon where CMake is missing, with the node-gyp that comes with npm.
# The sources and the flags of instruction sets are in sources.txt, shared with CMakeLists.txt.
{
  'variables': {
    'kernel_flags': ['-fwrapv', '-fno-math-errno', '-Wno-psabi'],
  },
  'target_defaults': {
    'include_dirs': ['.'],
    'cflags': ['-O3', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags_cc': ['-std=gnu++17', '-fvisibility-inlines-hidden'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++20'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++17',
      'CLANG_CXX_LIBRARY': 'libc++',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_ENABLE_CPP_RTTI': 'YES',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
    },
    'msvs_settings': {
      'VCCLCompilerTool': {
        'ExceptionHandling': 1,
        'AdditionalOptions': ['/std:c++17', '/fp:precise'],
      },
    },
  },
  'targets': [
    {
      'target_name': 'gradloom',
      'sources': ['<!@(node sources.mjs files addon core)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS'],
      'cflags': ['-ffp-contract=off'],
      'xcode_settings': { 'OTHER_CFLAGS': ['-ffp-contract=off'] },
      'dependencies': ['kernels_baseline'],
      'conditions': [
        ['target_arch=="x64" and OS!="win"', {
          'dependencies': ['kernels_avx2', 'kernels_avx512'],
        }],
      ],
    },
    {
      'target_name': 'kernels_baseline',
      'type': 'static_library',
      'sources': ['<!@(node sources.mjs files kernels)'],
      'defines': ['GRADLOOM_ISA=baseline', 'GRADLOOM_VECTOR_BYTES=16'],
      'cflags': ['<@(kernel_flags)'],
      'xcode_settings': { 'OTHER_CFLAGS': ['<@(kernel_flags)'] },
    },
  ],
  'conditions': [
    ['target_arch=="x64" and OS!="win"', {
      'targets': [
        {
          'target_name': 'kernels_avx2',
          'type': 'static_library',
          'sources': ['<!@(node sources.mjs files kernels)'],
          'defines': ['GRADLOOM_ISA=avx2', 'GRADLOOM_VECTOR_BYTES=32'],
          'cflags': ['<@(kernel_flags)', '<!@(node sources.mjs flags avx2)'],
          'xcode_settings': {
            'OTHER_CFLAGS': ['<@(kernel_flags)', '<!@(node sources.mjs flags avx2)'],
          },
        },
        {
          'target_name': 'kernels_avx512',
          'type': 'static_library',
          'sources': ['<!@(node sources.mjs files kernels)'],
          'defines': ['GRADLOOM_ISA=avx512', 'GRADLOOM_VECTOR_BYTES=64'],
          'cflags': ['<@(kernel_flags)', '<!@(node sources.mjs flags avx512)'],
          'xcode_settings': {
            'OTHER_CFLAGS': ['<@(kernel_flags)', '<!@(node sources.mjs flags avx512)'],
          },
        },
      ],
    }],
  ],
}
