namespace Sora.Prompts;

/// <summary>Enhancers on whole requests.</summary>
public static class PromptEnhancement
{
    /// <summary>
    /// A request with its prompt rewritten and the person's own kept as <see cref="VideoRequest.OriginalPrompt"/>. A request whose prompt was
    /// rewritten already comes back as it is, and so does one that needs no other words.
    /// </summary>
    /// <param name="enhancer">Rewrites.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Stops waiting for a service.</param>
    /// <returns>The request, and what its author should know.</returns>
    /// <exception cref="SoraException">There is no usable answer; the message says why.</exception>
    public static async Task<(VideoRequest Request, IReadOnlyList<string> Notes)> EnhanceAsync(
        this IPromptEnhancer enhancer, VideoRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(enhancer);
        ArgumentNullException.ThrowIfNull(request);
        if (request.OriginalPrompt is not null)
            return (request, []);
        EnhancedPrompt enhanced = await enhancer.EnhanceAsync(request.Prompt, cancellationToken).ConfigureAwait(false);
        return (enhanced.Prompt == request.Prompt ? request : request with { Prompt = enhanced.Prompt, OriginalPrompt = request.Prompt }, enhanced.Notes);
    }
}
