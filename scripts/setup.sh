# Prepares a machine to build and run Sora. Sourced by ./sora and ./test.sh, which set $root to the repository.
#
#   choose_engine         sets $engine: cuda, system or cpu
#   install_missing ...   installs the packages that the engine and the named commands need
#   is_current NAME       whether NAME was built from the sources as they are
#   build NAME PROJECT    builds it
#   build_cli             builds the command line to $cli
#   locked COMMAND ...    runs a function while no other ./sora or ./test.sh prepares anything

state="$root/.sora"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

say() { printf 'sora: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# TorchSharp with its CUDA package where there is an NVIDIA driver; else the system's libtorch where apt has one; else
# TorchSharp with its CPU package. `Torch=System ./sora` or `Torch=TorchSharp ./sora` overrules it.
choose_engine() {
    if [[ ${Torch:-} != System ]] && has_nvidia_driver; then
        engine=cuda
    elif [[ ${Torch:-} != TorchSharp ]] && { has_libtorch || command -v apt-get >/dev/null; }; then
        engine=system
    else
        engine=cpu
    fi
    # TorchSharp's packages bring gigabytes of libraries, of which the build folder has a copy already.
    case $engine in
        system) cli="$state/cli/sora.dll" ;;
        *) cli="$root/samples/Sora.Cli/bin/Release/net10.0/sora.dll" ;;
    esac
}

has_nvidia_driver() {
    [[ -e /proc/driver/nvidia/version ]] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }
}

# The places where Directory.Build.props looks.
has_libtorch() {
    local file
    for file in ${LIBTORCH:+"$LIBTORCH/lib/libtorch_cpu.so"} /usr/lib/{x86_64,aarch64}-linux-gnu/libtorch_cpu.so; do
        [[ -e $file ]] && return
    done
    return 1
}

engine_properties() {
    case $engine in
        cuda) echo -p:Torch=TorchSharp -p:TorchSharpBackend=TorchSharp-cuda-linux ;;
        system) echo -p:Torch=System ;;
        cpu) echo -p:Torch=TorchSharp -p:TorchSharpBackend=TorchSharp-cpu ;;
    esac
}

# is_installed COMMAND...: whether all of them, and what the engine needs, are there. Quick: it runs on every start.
is_installed() {
    local command
    for command in ffmpeg "$@"; do
        command -v "$command" >/dev/null || return 1
    done
    [[ $engine != system ]] || has_libtorch
}

# install_missing COMMAND...: installs them, and what the engine needs, through apt; or says how to.
install_missing() {
    local packages=() command
    for command in ffmpeg "$@"; do
        command -v "$command" >/dev/null || packages+=("$(package_of "$command")")
    done
    if [[ $engine == system ]]; then
        for command in g++ cmake make; do
            command -v "$command" >/dev/null || packages+=("$command")
        done
        # Debian's libtorch takes its matrix products from whichever BLAS is installed; the reference one is slow.
        has_libtorch || packages+=(libtorch-dev libopenblas0-pthread)
    fi
    ((${#packages[@]} == 0)) && return

    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || apt=()
        apt=(${apt[@]:+sudo -n "${apt[@]}"})
    fi
    if ! command -v apt-get >/dev/null; then
        fail "this machine lacks ${packages[*]}; install them and run this again."
    elif ((${#apt[@]} == 0)); then
        fail "this machine lacks packages; run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]}"
    fi
    say "installing ${packages[*]} ..."
    logged install install_packages "${apt[@]}" || fail "installing failed; run: ${apt[*]} install -y --no-install-recommends ${packages[*]}"
}

# Lists of packages that are there are usually good enough; when they are not, fresh ones are fetched.
install_packages() {
    local install=("$@" install -y --no-install-recommends "${packages[@]}")
    compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null && "${install[@]}" && return
    "$@" update && "${install[@]}"
}

package_of() {
    case $1 in
        node) echo nodejs ;;
        mpirun) echo openmpi-bin ;;
        *) echo "$1" ;;
    esac
}

find_dotnet() {
    # An older SDK on the path is no help beside a newer one where its installer puts it.
    if command -v dotnet >/dev/null && { [[ ! -x ${HOME:-}/.dotnet/dotnet ]] || dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }; then
        return
    fi
    [[ -x ${HOME:-}/.dotnet/dotnet ]] || fail "the .NET SDK 10 is missing; see https://dotnet.microsoft.com/download or run: curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
    export DOTNET_ROOT="$HOME/.dotnet" PATH="$HOME/.dotnet:$PATH"
}

# What the build depends on: the engine and the content of every source. A checksum rather than dates, since dates do
# not change when a file is deleted or an older one comes back. The tests (NAME `all`) have copies of their fixtures beside them.
fingerprint() {
    local fixtures=()
    [[ $1 != all ]] || fixtures=(-o -path './Sora.Core.Tests/Fixtures/*')
    echo "$root" "$engine" "${LIBTORCH:-}"
    cd "$root"
    find . \( -name bin -o -name obj -o -path ./Sora.Torch/native/build -o -name '.?*' -o -name TestResults \
              -o -path ./models -o -path ./docs -o -path ./runs \) -prune \
        -o -type f \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.sln' \
              -o -path './Sora.Torch/native/*' "${fixtures[@]}" -o -name global.json \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum
}

is_current() {
    local now
    [[ -e $state/$1.built && ($1 != cli || -e $cli) ]] || return
    now=$(fingerprint "$1" | sha256sum)
    [[ $(<"$state/$1.built") == "$now" ]]
}

# build NAME PROJECT: builds the project in Release and remembers that NAME is current.
build() { remembered "$1" run_dotnet build "$root/$2"; }

# remembered NAME COMMAND...: runs a build and remembers that NAME is current.
remembered() {
    local name=$1 now
    shift
    # Before the build: a source that changes while it runs is built the next time.
    now=$(fingerprint "$name" | sha256sum)
    forget_moved_native_build
    # What a build that does not come to its end leaves is of neither sources; what was built with another engine may lie in the same folders.
    if [[ $(cat "$state/engine" 2>/dev/null) == "$engine" ]]; then
        rm -f "$state/$name.built"
    else
        rm -f "$state"/*.built
        printf '%s' "$engine" >"$state/engine"
    fi
    "$@" ||
        fail "the build failed; the whole log is $state/build.log.$([[ $engine != cuda ]] || echo ' To build for the CPU: Torch=System ./sora')"
    printf '%s' "$now" >"$state/$name.built"
}

build_cli() {
    local project="samples/Sora.Cli/Sora.Cli.csproj"
    case $engine in
        system) remembered cli publish_ahead "$project" ;;
        *) build cli "$project" ;;
    esac
}

# Code that is compiled ahead saves up to half a second of every start. That takes a compiler from NuGet.
publish_ahead() {
    local architecture=x64
    [[ $(uname -m) != aarch64 ]] || architecture=arm64
    rm -rf "$state/cli"
    local publish=(publish "$root/$1" -r "linux-$architecture" --self-contained false -o "$state/cli")
    if run_dotnet "${publish[@]}" -p:PublishReadyToRun=true; then
        touch "$state/cli/ahead"
    else
        say "the code could not be compiled ahead (above); building without, so that every start takes up to half a second longer ..."
        run_dotnet "${publish[@]}"
    fi
}

# Without nodes that outlive the build: they would keep its files open.
run_dotnet() {
    # shellcheck disable=SC2046
    logged build dotnet "$@" -c Release -nodeReuse:false $(engine_properties)
}

# cmake refuses a build folder that was made under another path, and a library that is newer than its sources is not linked again for another libtorch.
forget_moved_native_build() {
    local native="$root/Sora.Torch/native" cache="$root/Sora.Torch/native/build/CMakeCache.txt"
    [[ ! -e $cache ]] ||
        { grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$native" "$cache" && grep -qxF "LIBTORCH:PATH=${LIBTORCH:-}" "$cache"; } ||
        rm -rf "$native/build"
}

# logged NAME COMMAND...: runs it in silence; when it fails, shows the end of what it wrote. An interruption ends it with
# all of its processes, which therefore have a process group of their own.
logged() {
    local log="$state/$1.log" group status=0
    shift
    set -m
    # 9 is the lock: no process that outlives this one may hold it.
    "$@" >"$log" 2>&1 </dev/null 9>&- &
    group=$!
    set +m
    trap 'kill -TERM -- "-$group" 2>/dev/null; say Interrupted.; exit 130' INT TERM HUP
    wait "$group" || status=$?
    trap - INT TERM HUP
    ((status == 0)) ||
        { grep -E '(: (fatal )?error|CMake Error|^E:)' "$log" | sort -u | head -n 20 | grep . || tail -n 20 "$log"; } >&2
    return "$status"
}

locked() {
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -n 9 || { say "waiting for another build ..."; flock 9; }
    "$@"
    exec 9>&-
}
