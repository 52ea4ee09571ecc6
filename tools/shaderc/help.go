package main

// helpText is what -h prints.
const helpText = `NAME
    shaderc - compile GLSL compute shaders to SPIR-V modules with a manifest

SYNOPSIS
    shaderc [flags] DIR
    shaderc -check | -verify | -list | -clean | -dump NAME | -dis NAME [flags] DIR

DESCRIPTION
    Compiles every NAME.comp in DIR to DIR/spv/NAME.spv and describes the modules
    in DIR/spv/manifest.json. NAME.variants.json beside a shader lists its
    variants: suffix, defines, target, tier, and the interface that is expected.
    Modules that are up to date are not compiled again. All failing shaders are
    reported, as "file:line: message"; when any fails nothing is written.

    The output is meant to be committed and embedded:

        //go:embed all:spv
        var files embed.FS
        set, err := shaders.Load(files)

MODES
    (none)      Build what is out of date.
    -check      Compare sources, manifest and modules, without a compiler and
                without writing. Lists each module whose source, include, define
                or option changed, whose file differs from the manifest, and
                files that are missing or that no shader makes.
    -verify     Compile again and compare bytes. A module whose compiler is not
                at hand in the same version is reported as not verified, which
                is no failure.
    -list       Print a table of the modules with their interfaces. Bindings are
                set.binding:kind[count], specialization constants id:name.
    -clean      Remove modules that no shader makes, also from the manifest.
    -dump NAME  Print all that is known of a module: where it comes from, what it
                asks of a device (capabilities, invocations, buffers, push constants,
                shared memory), its specialization constants, and its functions.
    -dis NAME   Print a module's instructions, by spirv-dis.

FLAGS
    -I FOLDER       Also look for includes in FOLDER; may be repeated.
    -only PATTERNS  Only modules that match, as "matmul*,conv_f16". The rest of
                    the manifest is kept: modules of one folder may come from
                    different compilers.
    -out FOLDER     Write to FOLDER, not to DIR/spv.
    -compiler PROG  glslc, glslangValidator or a path to one. Without it the first
                    of glslc, glslangValidator and glslang that is found.
    -val PROG       The validator, or "none". Without it spirv-val if found.
    -spec ID=N,...  With -dump, count shared memory with these specialization constants.
    -disassembler PROG  With -dis, this program instead of spirv-dis.
    -force          Compile also what is up to date.
    -j N            Run N compilers at once (as many as there are processors).
    -q              Print only errors and warnings.
    -v              Print what is done.
    -h              Print this text.

EXIT STATUS
    0 when all is well, 1 when a shader, check or verification failed, 2 when
    the command line is wrong.

EXAMPLES
    Build a folder's shaders, with shared includes elsewhere:
        shaderc -I ../include shaders
    Build the cooperative-matrix variants with a newer compiler:
        shaderc -only '*_cm*' -compiler /opt/new/bin/glslc shaders
    See how much shared memory a tile of 128 by 64 takes:
        shaderc -dump matmul -spec 1=128,2=64,3=16 shaders
    Fail in CI when somebody forgot to build:
        shaderc -check shaders

SEE ALSO
    go doc github.com/fornax-ml/fornax/tools/shaderc   file formats
    go doc github.com/fornax-ml/fornax/shaders         the loader
`
