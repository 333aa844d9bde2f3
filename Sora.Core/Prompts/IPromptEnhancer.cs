namespace Sora.Prompts;

/// <summary>Rewrites a short prompt into the detailed captions that a model was trained on.</summary>
public interface IPromptEnhancer
{
    /// <summary>Rewrites a prompt.</summary>
    /// <param name="prompt">What the person wrote; not empty.</param>
    /// <param name="cancellationToken">Stops waiting for a service.</param>
    /// <exception cref="SoraException">There is no usable answer; the message says why.</exception>
    Task<EnhancedPrompt> EnhanceAsync(string prompt, CancellationToken cancellationToken = default);
}
