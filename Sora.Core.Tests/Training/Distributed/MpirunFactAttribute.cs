using Xunit;

namespace Sora.Tests.Training.Distributed;

/// <summary>A test that runs several processes under Open MPI's <c>mpirun</c>, which test.sh installs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MpirunFactAttribute : FactAttribute
{
    public MpirunFactAttribute()
    {
        bool isThere = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "mpirun")));
        if (!isThere)
            Skip = "mpirun is not installed (Debian and Ubuntu: openmpi-bin).";
    }
}
