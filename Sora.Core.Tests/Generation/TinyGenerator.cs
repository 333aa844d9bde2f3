using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Tests of one <see cref="TinyModel"/>, which has made a video before: what a first one prepares once is there.</summary>
public abstract class TinyGenerator : IAsyncLifetime
{
    /// <summary>The model.</summary>
    protected VideoGenerator Generator { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Generator = await TinyModel.LoadUsedAsync();

    /// <inheritdoc/>
    public Task DisposeAsync()
    {
        Generator.Dispose();
        return Task.CompletedTask;
    }
}
