using System.Globalization;
using Microsoft.Extensions.AI;

namespace Sora.Prompts;

/// <summary>Lets a chat service rewrite prompts: any <see cref="IChatClient"/>, local or remote.</summary>
/// <param name="client">The service; not disposed with this.</param>
/// <param name="options">How it is asked; null: the defaults.</param>
public sealed class ChatPromptEnhancer(IChatClient client, ChatPromptEnhancerOptions? options = null) : IPromptEnhancer
{
    private const string Quotes = "\"\"''“”„“«»「」";

    private readonly IChatClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly ChatPromptEnhancerOptions _options = options ?? new();

    /// <summary>Asks the service for a caption.</summary>
    /// <param name="prompt">What the person wrote; not empty.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="SoraException">The answer is empty, too long, not text, or did not come in time.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <remarks>What the client throws passes through unchanged.</remarks>
    public async Task<EnhancedPrompt> EnhanceAsync(string prompt, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(prompt);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.Timeout);
        ChatMessage[] messages = [new(ChatRole.System, _options.Instructions), new(ChatRole.User, prompt)];
        ChatResponse response;
        try
        {
            // A client may be slow to notice its token.
            response = await _client.GetResponseAsync(messages, _options.Chat, timeout.Token).WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && timeout.IsCancellationRequested)
        {
            throw new SoraException(string.Create(CultureInfo.InvariantCulture,
                $"The chat service did not answer within {_options.Timeout.TotalSeconds:0.###} s; allow more with Timeout, or give the prompt in full."), e);
        }
        return new(RequireCaption(response), []);
    }

    private string RequireCaption(ChatResponse response)
    {
        string caption = WithoutQuotes(response.Text.Trim());
        if (caption.Length == 0)
        {
            string reason = response.FinishReason is { } finish ? $" (it finished with '{finish.Value}')" : "";
            throw new SoraException($"The chat service answered without text{reason}; ask again, or give the prompt in full.");
        }
        if (caption.Length > _options.MaximumLength)
            throw new SoraException($"The chat service answered with {caption.Length} characters; allowed: {_options.MaximumLength}. Allow more with MaximumLength, or ask for fewer in Instructions.");
        if (caption.Contains('\0', StringComparison.Ordinal))
            throw new SoraException("The chat service answered with a NUL character, which no prompt can hold; ask again, or give the prompt in full.");
        return caption;
    }

    // Services like to put an answer in quotation marks.
    private static string WithoutQuotes(string text)
    {
        for (int i = 0; i < Quotes.Length && text.Length >= 2; i += 2)
        {
            bool isQuoted = text[0] == Quotes[i] && text[^1] == Quotes[i + 1] && !text[1..^1].Contains(Quotes[i], StringComparison.Ordinal);
            if (isQuoted)
                return text[1..^1].Trim();
        }
        return text;
    }
}
