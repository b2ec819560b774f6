# What RT's own tool puts into the new database: `rt-setup-database-5 --action insert --datafile` this file.
# BELLWETHER_RT_DIR is the folder of this RT; the scrips read webhook.json there anew for each delivery.
use strict;
use warnings;

die 'BELLWETHER_RT_DIR is not set' unless $ENV{BELLWETHER_RT_DIR};

our @Queues = ( { Name => 'Changes', Description => 'Changes of the clusters', Lifecycle => 'change' } );

our @CustomFields = (
    map {
        my ( $name, @values ) = @$_;
        {
            Name       => $name,
            Type       => @values ? 'SelectSingle' : $name eq 'Bellwether' ? 'TextSingle' : 'FreeformSingle',
            LookupType => 'RT::Queue-RT::Ticket',
            Queue      => ['Changes'],
            @values ? ( Values => [ map { { Name => $_ } } @values ] ) : (),
        }
    } ( ['Operation', 'Upgrade hosted engine', 'Back up configuration', 'Global maintenance on'], ['Cluster'], ['Bellwether'] )
);

our @Users = map { { Name => $_, EmailAddress => "$_\@example.test", Privileged => 1, Password => "$_-password" } }
    qw(alice mallory bellwether);

our @ACL = map { { GroupDomain => 'SystemInternal', GroupType => 'Privileged', Queue => 'Changes', Right => $_ } }
    qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket SeeCustomField
       ModifyCustomField);
push @ACL, { GroupDomain => 'SystemInternal', GroupType => 'Privileged', Right => 'ManageAuthTokens' };

# A signed Standard Webhooks message; tried three times, because RT keeps no queue of its own.
my $send = <<'PERL';
use JSON (); use LWP::UserAgent; use MIME::Base64 (); use Digest::SHA ();
open my $file, '<', "$ENV{BELLWETHER_RT_DIR}/webhook.json" or return 1;
my $to = JSON::decode_json(do { local $/; <$file> });
my $ticket = $self->TicketObj;
my $content = $change->ContentObj ? $change->Content(Type => 'text/plain') : '';
my $body = JSON->new->utf8->canonical->encode({
    event  => $change->Type eq 'Status' ? 'status' : 'comment',
    ticket => { id => $ticket->Id + 0, subject => $ticket->Subject, status => $ticket->Status,
                operation => $ticket->FirstCustomFieldValue('Operation'),
                cluster => $ticket->FirstCustomFieldValue('Cluster') },
    user   => $change->CreatorObj->Name,
    ($change->Type eq 'Status' ? (from => $change->OldValue, to => $change->NewValue) : (comment => $content)),
});
my $id = 'rt-transaction-' . $change->Id;
my $key = MIME::Base64::decode_base64(substr($to->{secret}, length 'whsec_'));
for my $try (1 .. 3) {
    my $time = time;
    my $mac = MIME::Base64::encode_base64(Digest::SHA::hmac_sha256("$id.$time.$body", $key), '');
    my $answer = LWP::UserAgent->new(timeout => 10)->post($to->{url}, 'Content-Type' => 'application/json',
        'webhook-id' => $id, 'webhook-timestamp' => $time, 'webhook-signature' => "v1,$mac", Content => $body);
    return 1 if $answer->code < 500 && $answer->code != 429;
    $RT::Logger->warning("webhook $id: " . $answer->status_line);
    sleep 2;
}
return 1;
PERL

my %scrip = (
    Queue                  => 'Changes',
    Template               => 'Blank',
    # After the change is in the database: the front door must not wait for what waits for it.
    Stage                  => 'TransactionBatch',
    ScripCondition         => 'User Defined',
    ScripAction            => 'User Defined',
    CustomPrepareCode      => 'return 1;',
);
# One press of a button may be several changes: a comment and a new status.
my $find = sub {
    my ($test) = @_;
    return qq{my (\$change) = grep { $test } \@{ \$self->TicketObj->TransactionBatch };};
};
my $scrip = sub {
    my ( $description, $test ) = @_;
    return {
        %scrip,
        Description            => $description,
        CustomIsApplicableCode => $find->($test) . 'return defined $change;',
        CustomCommitCode       => $find->($test) . $send,
    };
};
our @Scrips = (
    $scrip->( 'Bellwether: an approved change', q{$_->Type eq 'Status' && $_->NewValue eq 'approved'} ),
    $scrip->(
        'Bellwether: what a person writes',
        q{$_->Type =~ /^(Comment|Correspond)$/ && $_->CreatorObj->Name ne 'bellwether'}
    ),
);

# Tokens: bellwether's for the worker, the others' for tests.
our @Final = (
    sub {
        for my $name (qw(bellwether alice mallory)) {
            my $user = RT::User->new( RT->SystemUser );
            $user->Load($name);
            my $token = RT::AuthToken->new( RT->SystemUser );
            my ( $ok, $message, $text ) = $token->Create( Owner => $user->Id, Description => 'Bellwether' );
            die "token of $name: $message" unless $ok;
            open my $file, '>', "$ENV{BELLWETHER_RT_DIR}/token-$name" or die $!;
            chmod 0600, $file;
            print $file "$text\n";
        }
    }
);

1;
